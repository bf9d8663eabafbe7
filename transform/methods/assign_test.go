package methods_test

import (
	"database/sql"
	"fmt"
)

// assign puts a value where database/sql would scan it.
func assign(target, value any) error {
	if scanner, ok := target.(sql.Scanner); ok {
		return scanner.Scan(value)
	}
	switch place := target.(type) {
	case *string:
		*place = value.(string)
	case *float64:
		*place = value.(float64)
	case *int64:
		*place = value.(int64)
	case *bool:
		*place = value.(bool)
	case *any:
		*place = value
	default:
		return fmt.Errorf("a target of type %T is not known here", target)
	}
	return nil
}
