package config

import (
	"fmt"
	"net/url"

	"tamiz/pipeline"
)

// OpenLineage is an address to which the events of each new snapshot are
// posted; "": nowhere.
type OpenLineage struct {
	URL    string `yaml:"url"`     // whole, such as https://lineage.example.org/api/v1/lineage
	KeyEnv string `yaml:"key_env"` // the variable that holds the key that is sent; "": none is
}

// Key reads the key from the environment. One that is missing is an error of
// kind Config that names its variable.
func (o OpenLineage) Key(getenv func(string) string) (pipeline.Secret, error) {
	if o.KeyEnv == "" {
		return pipeline.Secret{}, nil
	}
	value := getenv(o.KeyEnv)
	if value == "" {
		return pipeline.Secret{}, &pipeline.Error{Kind: pipeline.Config, Subject: o.KeyEnv, Where: ProjectFile + ", openlineage", Expected: "the key for " + o.URL,
			Effect: "no events are sent", Hint: "set it where tamiz is started, such as in the environment file of its service", Err: MissingSecret(o.KeyEnv)}
	}
	return pipeline.NewSecret(value), nil
}

func (o OpenLineage) check() []error {
	var problems []error
	address, err := url.Parse(o.URL)
	switch {
	case o == OpenLineage{}:
		return nil
	case err != nil || address.Host == "" || address.User != nil || address.Fragment != "" || address.Scheme != "https" && address.Scheme != "http":
		problems = append(problems, fmt.Errorf("openlineage: url: want an address such as https://lineage.example.org/api/v1/lineage, without a password in it"))
	case address.Scheme == "http" && o.KeyEnv != "" && !isLoopback(address.Hostname()):
		problems = append(problems, fmt.Errorf("openlineage: url: want https, else the key is sent in the clear (http with a key only to this machine)"))
	}
	if o.KeyEnv != "" && !variableName.MatchString(o.KeyEnv) {
		problems = append(problems, fmt.Errorf("openlineage: key_env: want the name of an environment variable such as TAMIZ_LINEAGE_KEY, never the key itself"))
	}
	return problems
}
