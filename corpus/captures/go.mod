module gopatch.example/corpus/captures

go 1.19
