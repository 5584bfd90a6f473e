module gopatch.example/corpus/chain

go 1.21
