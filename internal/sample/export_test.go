package sample

// The draws that tests look at by themselves.
var (
	Binomial  = binomial
	Apportion = apportion
)

// Keys gives what hands out keys by state and letters.
func Keys() func(state int, letters string) (string, error) { return newKeyring().next }
