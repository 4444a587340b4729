module weir/test

go 1.26
