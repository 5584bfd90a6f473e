// Command shop calls functions of every kind a known number of times: functions, methods of values and of pointers, instances
// of generic functions and types, and closures. The test knows the numbers.
package main

import (
	"fmt"
	"strconv"

	"example.com/shop/store"
)

type order struct {
	id   int
	name string
}

// place goes out by three ways.
//
//go:noinline
func (o *order) place(name string, fail bool) error {
	sink = name
	o.id++
	if fail {
		return fmt.Errorf("order %d of %s", o.id, name)
	}
	o.name = name
	if o.id > 2 {
		return nil
	}
	sink = o
	return last()
}

//go:noinline
func last() error {
	sink = 1
	return nil
}

//go:noinline
func getNothing() func() int {
	n := 0
	return func() int {
		n++
		sink = n
		return n
	}
}

var sink any

func main() {
	o := new(order)
	for i := 0; i < 7; i++ {
		sink = o.place("name "+strconv.Itoa(i), i%3 == 1)
	}

	// On the heap: what lies on the stack is not followed at exits.
	items, numbers := new(store.List[*store.Item]), new(store.List[int])
	sink = items
	sink = numbers
	for i := 0; i < 3; i++ {
		items.Push(&store.Item{Name: "item"}, "pointer")
	}
	for i := 0; i < 4; i++ {
		numbers.Push(i, "int")
	}
	store.Map([]int{1, 2}, strconv.Itoa)
	store.Map([]string{"a", "b", "c"}, func(text string) int { return len(text) })

	item := &store.Item{Name: "a", Count: 5}
	sink = item.Get("b")
	sink = store.GetAll([]*store.Item{item}, 4)

	next := getNothing()
	for i := 0; i < 6; i++ {
		next()
	}
}
