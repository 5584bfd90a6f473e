module gopatch.example/corpus/torture

go 1.19
