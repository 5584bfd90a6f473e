module gopatch.example/tests/probe

go 1.19
