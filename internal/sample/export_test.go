package sample

// The draws that tests look at by themselves.
var (
	Binomial  = binomial
	Apportion = apportion
)
