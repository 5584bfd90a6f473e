module gopatch.example/tests/urls

go 1.21
