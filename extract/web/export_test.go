package web

import (
	"context"
	"net"
)

// Dial replaces how the client connects, so that tests can give any name to a
// server on this machine.
func (c *Client) Dial(dial func(ctx context.Context, network, address string) (net.Conn, error)) {
	c.transport.DialContext = dial
}
