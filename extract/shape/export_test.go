package shape

// InverseConic lets tests try the projection on ellipsoids that Open refuses.
func InverseConic(radius, squared, parallel1, parallel2, latitude, meridian, x, y float64) (lon, lat float64, err error) {
	c, err := newConic(radius, squared, parallel1, parallel2, latitude, meridian)
	if err != nil {
		return 0, 0, err
	}
	at := c.inverse(x, y)
	return at.lon, at.lat, nil
}
