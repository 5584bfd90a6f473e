module gopatch.example/corpus/httpserver

go 1.19
