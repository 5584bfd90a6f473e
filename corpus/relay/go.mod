module gopatch.example/corpus/relay

go 1.19
