// Package store has a function of every kind that a glob can mean.
package store

// Item is what is stored.
type Item struct {
	Name  string
	Count int
}

// List is a generic type.
type List[T any] struct{ items []T }

// Push is a method of a generic type; it gets its type arguments by a parameter that is not in the
// source.
//
//go:noinline
func (l *List[T]) Push(item T, name string) int {
	l.items = append(l.items, item)
	sink = name
	return len(l.items)
}

// Map is a generic function with a closure.
//
//go:noinline
func Map[T, U any](in []T, f func(T) U) []U {
	var out []U
	for _, item := range in {
		run(func() { out = append(out, f(item)) })
	}
	return out
}

//go:noinline
func run(f func()) {
	sink = f
	f()
}

// Get is a method of a value.
//
//go:noinline
func (i Item) Get(name string) string {
	sink = i
	return i.Name + name
}

// GetAll calls itself.
//
//go:noinline
func GetAll(items []*Item, depth int) (total int) {
	sink = items
	for _, item := range items {
		total += item.Count
	}
	if depth > 0 {
		total += GetAll(items, depth-1)
	}
	return total
}

var sink any
