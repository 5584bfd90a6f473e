// Payload appends data to a copy of itself, and finds it there, as self-extracting programs do.
package main

import (
	"archive/zip"
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

const (
	text = "hello from the payload"
	mark = "PAYLOAD!"
)

func main() {
	path, err := os.Executable()
	check(err)
	file, err := os.ReadFile(path)
	check(err)
	if os.Args[1] == "append" {
		check(os.WriteFile(os.Args[3], append(file, data(os.Args[2], len(file))...), 0o755))
		return
	}
	fmt.Println(find(os.Args[2], file))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// data makes the data of a kind, for a file that has this many bytes without it.
func data(kind string, before int) []byte {
	var out bytes.Buffer
	switch kind {
	case "mark":
		out.WriteString(text)
		binary.Write(&out, binary.LittleEndian, uint16(len(text)))
		out.WriteString(mark)
	case "zip", "zip-adjusted":
		writer := zip.NewWriter(&out)
		if kind == "zip-adjusted" {
			writer.SetOffset(int64(before))
		}
		file, err := writer.Create("greeting")
		check(err)
		file.Write([]byte(text))
		check(writer.Close())
	case "after-elf":
		out.WriteString(text)
	case "offset":
		out.WriteString(text)
		binary.Write(&out, binary.LittleEndian, uint32(len(text)))
		binary.Write(&out, binary.LittleEndian, uint64(before))
	}
	return out.Bytes()
}

// find finds the data of a kind in a file.
func find(kind string, file []byte) string {
	end := len(file)
	switch kind {
	case "mark":
		body, found := bytes.CutSuffix(file, []byte(mark))
		if !found {
			return "no mark at the end"
		}
		length := int(binary.LittleEndian.Uint16(body[len(body)-2:]))
		return string(body[len(body)-2-length : len(body)-2])
	case "zip", "zip-adjusted":
		reader, err := zip.NewReader(bytes.NewReader(file), int64(end))
		check(err)
		greeting, err := reader.Open("greeting")
		check(err)
		content, err := io.ReadAll(greeting)
		check(err)
		return string(content)
	case "after-elf":
		return string(file[endOfELF(file):])
	case "offset":
		offset := binary.LittleEndian.Uint64(file[end-8:])
		length := binary.LittleEndian.Uint32(file[end-12:])
		return string(file[offset:][:length])
	}
	return "no such kind"
}

// endOfELF is where the last section, or the section headers, end.
func endOfELF(file []byte) uint64 {
	parsed, err := elf.NewFile(bytes.NewReader(file))
	check(err)
	headers := binary.LittleEndian.Uint64(file[40:])
	end := headers + 64*uint64(binary.LittleEndian.Uint16(file[60:]))
	for _, section := range parsed.Sections {
		if section.Type != elf.SHT_NOBITS {
			end = max(end, section.Offset+section.FileSize)
		}
	}
	return end
}
