module gopatch.example/tests/handler

go 1.19
