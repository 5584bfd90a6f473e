module gopatch.example/tests/signals

go 1.21
