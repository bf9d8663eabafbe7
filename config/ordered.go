package config

import "github.com/goccy/go-yaml"

// ordered is a YAML mapping that keeps the order in which it was written.
type ordered[T any] []pair[T]

type pair[T any] struct {
	Name  string
	Value T
}

// UnmarshalYAML reads the mapping twice: for its order, and typed.
func (o *ordered[T]) UnmarshalYAML(unmarshal func(any) error) error {
	var order yaml.MapSlice
	if err := unmarshal(&order); err != nil {
		return err
	}
	values := map[string]T{}
	if err := unmarshal(&values); err != nil {
		return err
	}
	for _, item := range order {
		name, ok := item.Key.(string)
		if !ok {
			continue
		}
		*o = append(*o, pair[T]{Name: name, Value: values[name]})
	}
	return nil
}
