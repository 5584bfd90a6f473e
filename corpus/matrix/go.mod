module gopatch.example/corpus/matrix

go 1.18

require gopatch.example/vendored v1.0.0
