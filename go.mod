module github.com/rung-build/rung

go 1.26.8
