module gopatch.example/corpus/loadgen

go 1.19
