// Places a known number of orders: what docs/rules.md has its worked example of.
package main

import (
	"fmt"

	"example.com/shop/admin"
	"example.com/shop/orders"
)

// Not on a goroutine's stack, where a hook follows nothing.
var service = orders.Service{Prices: map[string]int{"tea": 3, "milk": 4, "sugar": 5, "cake": 4}}

func main() {
	lines := []string{"tea", "milk", "sugar", "cake"}
	failed := 0
	for i := 0; i < 100; i++ {
		order := &orders.Order{Customer: &orders.Customer{Name: fmt.Sprintf("customer %d", i%10)}, Lines: lines[:i%5]}
		if _, err := service.Place(order); err != nil {
			failed++
		}
	}
	price := 0
	for i := 0; i < 10000; i++ {
		price += service.Price(&orders.Order{Lines: lines})
	}
	fmt.Println(failed, "failed; prices:", price)
	fmt.Println(admin.Allow("root"))
}
