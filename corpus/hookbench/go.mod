module gopatch.example/corpus/hookbench

go 1.19
