// Package orders is what docs/rules.md has its worked example of.
package orders

import "errors"

// ErrEmpty is the error of an order without lines.
var ErrEmpty = errors.New("the order is empty")

type Customer struct {
	Name string
}

type Order struct {
	Customer *Customer
	Lines    []string
}

type Service struct {
	pending int
	Prices  map[string]int
}

//go:noinline
func (s *Service) Place(o *Order) (int, error) {
	if len(o.Lines) == 0 {
		return 0, ErrEmpty
	}
	s.pending++
	return s.pending, nil
}

//go:noinline
func (s *Service) Price(o *Order) int {
	price := 0
	for _, line := range o.Lines {
		price += s.Prices[line]
	}
	return price
}
