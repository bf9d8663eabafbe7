package pipeline_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tamiz/pipeline"
)

func TestSecretIsNeverShown(t *testing.T) {
	secret := pipeline.NewSecret("hunter2")
	hidden := struct{ inner pipeline.Secret }{secret}
	asJSON, err := json.Marshal(map[string]any{"a": secret, "b": &secret})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		fmt.Sprint(secret), fmt.Sprintf("%v %+v %#v %s %q %x %d", secret, secret, secret, secret, secret, secret, secret),
		fmt.Sprintf("%v %+v %#v", hidden, hidden, hidden), secret.String(), string(asJSON), fmt.Sprint(fmt.Errorf("no: %v", secret)),
	} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "68756e74657232") {
			t.Errorf("shown: %s", text)
		}
	}
	if secret.Reveal() != "hunter2" || (pipeline.Secret{}).Reveal() != "" {
		t.Error("the value is lost")
	}
}
