module example.com/nils

go 1.18
