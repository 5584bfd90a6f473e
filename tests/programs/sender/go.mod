module gopatch.example/tests/sender

go 1.21
