module gopatch.example/tests/filtered

go 1.18
