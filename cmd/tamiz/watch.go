package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	sd "github.com/coreos/go-systemd/v22/daemon"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"gopkg.in/natefinch/lumberjack.v2"

	"tamiz/config"
	"tamiz/pipeline"
	"tamiz/schedule"
)

// keepWatch lets the daemon watch until ctx is done, tells systemd how it is,
// and serves its health.
func keepWatch(ctx context.Context, daemon *schedule.Daemon, listen string, events *zap.Logger) error {
	if listen != "" {
		stop, err := serveHealth(ctx, daemon, listen, events)
		if err != nil {
			return err
		}
		defer stop()
	}
	var ready sync.Once
	daemon.Ticked = func() {
		ready.Do(func() { sd.SdNotify(false, sd.SdNotifyReady) })
		sd.SdNotify(false, sd.SdNotifyWatchdog) // where nobody listens, these are nothing
	}
	stopping := context.AfterFunc(ctx, func() { sd.SdNotify(false, sd.SdNotifyStopping) })
	defer stopping()
	for _, watched := range daemon.Pipelines {
		if next, ok := schedule.Next(watched.Schedule, watched.Calendar, daemon.Now()); ok {
			events.Info(fmt.Sprintf("%s: the period to %s falls due %s", watched.Name, next.Period, next.DueAt.Format("Mon 2006-01-02 15:04 MST")),
				zap.String("pipeline", watched.Name), zap.String("period", next.Period), zap.Time("due_at", next.DueAt))
		}
	}
	daemon.Run(ctx)
	events.Info("stopped")
	return nil
}

// serveHealth serves /healthz and /metrics; whoever reaches the address may
// read them.
func serveHealth(ctx context.Context, daemon *schedule.Daemon, address string, events *zap.Logger) (stop func(), err error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &pipeline.Error{Kind: pipeline.Config, Problem: "--listen " + address + ": nothing can be served there", Err: err,
			Hint: "give an address that is free, such as 127.0.0.1:9464"}
	}
	if at, ok := listener.Addr().(*net.TCPAddr); ok && !at.IP.IsLoopback() {
		events.Warn("/healthz and /metrics can be read by everybody who reaches " + at.String() + "; 127.0.0.1 keeps them on this machine")
	}
	server := &http.Server{Handler: daemon.Handler(), ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	events.Info("serving /healthz and /metrics at http://" + listener.Addr().String())
	return func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		server.Shutdown(ending) // readers that are slow are cut off with the process
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			events.Error("/healthz was not served any more", zap.Error(err))
		}
	}, nil
}

// scheduleLogs are the files below warehouse/schedule, which are rotated.
type scheduleLogs struct {
	events *zap.Logger
	jobs   map[string]*lumberjack.Logger
}

// openScheduleLogs writes what happens as JSON lines to a file and to errOut;
// a terminal gets plain sentences.
func openScheduleLogs(project *config.Project, errOut io.Writer) *scheduleLogs {
	file := func(name string) *lumberjack.Logger {
		return &lumberjack.Logger{Filename: filepath.Join(project.Warehouse, "schedule", name), MaxSize: 10, MaxBackups: 10, Compress: true}
	}
	logs := &scheduleLogs{jobs: map[string]*lumberjack.Logger{}}
	for _, name := range project.Pipelines {
		logs.jobs[name] = file(name + ".log")
	}
	encoding := zap.NewProductionEncoderConfig()
	encoding.TimeKey, encoding.EncodeTime = "time", zapcore.RFC3339NanoTimeEncoder
	encoder := zapcore.NewJSONEncoder(encoding)
	core := zapcore.NewCore(encoder, zapcore.AddSync(file("schedule.jsonl")), zap.InfoLevel)
	if isTerminal(errOut) {
		core = zapcore.RegisterHooks(core, func(entry zapcore.Entry) error {
			_, err := fmt.Fprintf(errOut, "%s  %s\n", entry.Time.Format("2006-01-02 15:04"), entry.Message)
			return err
		})
	} else {
		core = zapcore.NewTee(core, zapcore.NewCore(encoder, zapcore.Lock(zapcore.AddSync(errOut)), zap.InfoLevel))
	}
	logs.events = zap.New(core)
	return logs
}

// output is where a pipeline's jobs write. The file stays open: the next job
// writes on.
func (l *scheduleLogs) output(name string) io.WriteCloser { return stayOpen{l.jobs[name]} }

type stayOpen struct{ io.Writer }

func (stayOpen) Close() error { return nil }
