package main

import (
	"errors"
	"io/fs"
	"reflect"
)

type id [16]byte

type entry struct {
	name string
	id   id
}

type block struct {
	head    uint32
	entries [3]entry
	one     [1]*entry
	tag     [1]byte
	word    [4]byte
	table   *[2]uint16
}

type box[T any] struct{ value T }

type nested struct {
	err   error
	value any
}

// arrays has arrays reached by pointers, on the stack, and, where they have one element, in
// registers.
//
//go:noinline
func arrays(b *block, value id, tag [1]byte, names [2]string, only [1]*entry, p *id) (sum [20]byte, last [1]byte) {
	escape(b, value, tag, names, only, p)
	copy(sum[:], value[:])
	sum[19] = 0x7f
	return sum, tag
}

// types has interfaces in registers, on the stack, and reached by a pointer.
//
//go:noinline
func types(err error, value any, s shape, n *nested, spilled any, last error) (error, any) {
	escape(err, value, s, n, spilled, last)
	return err, value
}

func callArrays() {
	var value id
	for i := range value {
		value[i] = byte(i * 17)
	}
	e := entry{"third", value}
	b := &block{head: 1, one: [1]*entry{&e}, tag: [1]byte{0xab}, word: [4]byte{'G', 'o', '!', '\n'}, table: &[2]uint16{7, 300}}
	b.entries = [3]entry{{"first", id{1}}, {"second", id{2, 3}}, e}
	escape(b)
	arrays(b, value, [1]byte{0x0f}, [2]string{"left", "right"}, [1]*entry{&e}, &value)
	arrays(&block{}, id{}, [1]byte{}, [2]string{}, [1]*entry{}, nil)
	arrays(nil, id{15: 255}, [1]byte{'x'}, [2]string{"", "only"}, [1]*entry{{name: "here"}}, nil)
}

func callTypes() {
	path := &fs.PathError{Op: "open", Path: "x", Err: fs.ErrNotExist}
	types(path, 5, square{2}, &nested{errors.New("x"), "text"}, box[int]{3}, path)
	types(nil, nil, nil, nil, nil, nil)
	long := struct{ aFieldWithALongName, anotherFieldWithALongName, aThirdFieldWithALongName, theLastOne map[string][]int }{}
	types(errors.New("x"), long, &circle{}, &nested{}, []*box[string]{}, nil)
	made := reflect.StructOf([]reflect.StructField{{Name: "Made", Type: reflect.TypeOf(0)}})
	types(fs.ErrExist, reflect.New(made).Elem().Interface(), boxed{}, &nested{path, &b1{}}, func(int) error { return nil }, path)
}

type b1 struct{ block }
