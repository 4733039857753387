# go build; 1,000 goroutines, garbage collection, a null pointer.
mkdir /tmp/go && cp goroutines.go /tmp/go && cd /tmp/go
export HOME=/tmp/go GOCACHE=/tmp/go/cache GO111MODULE=off GOFLAGS=
go build -o goroutines goroutines.go && ./goroutines
