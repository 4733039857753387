package main

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

type node struct {
	next *node
	data [64]int
}

func main() {
	var wg sync.WaitGroup
	var sum, allocated int64
	ch := make(chan int, 16)
	for i := 0; i < 1000; i++ {
		wg.Add(1)
		go func(i int) {
			defer wg.Done()
			var head *node
			for j := 0; j < 50; j++ {
				n := &node{next: head}
				n.data[j%64] = i
				head = n
				atomic.AddInt64(&allocated, 1)
				if j%10 == 0 {
					runtime.Gosched()
				}
			}
			if i%100 == 0 {
				runtime.GC()
				time.Sleep(time.Millisecond)
			}
			t := 0
			for n := head; n != nil; n = n.next {
				for _, v := range n.data {
					t += v
				}
			}
			ch <- t
		}(i)
	}
	go func() { wg.Wait(); close(ch) }()
	for v := range ch {
		sum += int64(v)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Println(sum, allocated, m.NumGC >= 3, runtime.NumGoroutine())
	defer func() {
		fmt.Println("recovered:", recover())
	}()
	var p *node
	fmt.Println(p.data[3])
}
