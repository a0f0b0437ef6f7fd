module dmconform/warm

go 1.25
