module gopatch.example/tests/h2c

go 1.21

require golang.org/x/net v0.30.0

require golang.org/x/text v0.19.0 // indirect
