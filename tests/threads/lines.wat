(module $lines.wasm
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;3;) (func))
  (type (;4;) (func (param i32 i32)))
  (import "env" "memory" (memory (;0;) 1 16 shared))
  (import "wasi" "thread-spawn" (func $thread_spawn (type 1)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (type 0)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (type 2)))
  (func $__wasm_init_tls (type 0) (param i32))
  (func $__wasm_init_memory (type 3)
    block  ;; label = @1
      block  ;; label = @2
        block  ;; label = @3
          i32.const 32864
          i32.const 0
          i32.const 1
          i32.atomic.rmw.cmpxchg
          br_table 0 (;@3;) 1 (;@2;) 2 (;@1;)
        end
        i32.const 16384
        i32.const 0
        i32.const 16480
        memory.fill
        i32.const 32864
        i32.const 2
        i32.atomic.store
        i32.const 32864
        i32.const -1
        memory.atomic.notify
        drop
        br 1 (;@1;)
      end
      i32.const 32864
      i32.const 1
      i64.const -1
      memory.atomic.wait32
      drop
    end)
  (func $wasi_thread_start (type 4) (param i32 i32)
    local.get 1
    i32.load
    global.set $__stack_pointer
    local.get 0
    local.get 1
    call $enter_thread)
  (func $enter_thread (type 4) (param i32 i32)
    block  ;; label = @1
      global.get $__tls_size
      i32.eqz
      br_if 0 (;@1;)
      local.get 1
      i32.load offset=4
      call $__wasm_init_tls
    end
    local.get 1
    local.get 0
    i32.store offset=20
    local.get 1
    i32.load offset=12
    local.get 1
    i32.load offset=8
    call_indirect (type 0)
    local.get 1
    i32.const 1
    i32.atomic.store offset=16
    local.get 1
    i32.const -1
    memory.atomic.notify offset=16
    drop)
  (func $_start (type 3)
    i32.const 0
    i32.const 1
    i32.store offset=16392
    i32.const 0
    i32.const 20576
    i32.store offset=16384
    i32.const 0
    i32.const 0
    i32.store offset=16396
    i32.const 0
    i32.const 0
    i32.store offset=16388
    i32.const 0
    i32.const 0
    i32.atomic.store offset=16400
    block  ;; label = @1
      i32.const 16384
      call $thread_spawn
      i32.const 0
      i32.lt_s
      br_if 0 (;@1;)
      i32.const 0
      i32.const 1
      i32.store offset=16420
      i32.const 0
      i32.const 1
      i32.store offset=16416
      i32.const 0
      i32.const 24672
      i32.store offset=16408
      i32.const 0
      i32.const 0
      i32.store offset=16412
      i32.const 0
      i32.const 0
      i32.atomic.store offset=16424
      i32.const 16408
      call $thread_spawn
      i32.const 0
      i32.lt_s
      br_if 0 (;@1;)
      i32.const 0
      i32.const 2
      i32.store offset=16444
      i32.const 0
      i32.const 1
      i32.store offset=16440
      i32.const 0
      i32.const 28768
      i32.store offset=16432
      i32.const 0
      i32.const 0
      i32.store offset=16436
      i32.const 0
      i32.const 0
      i32.atomic.store offset=16448
      i32.const 16432
      call $thread_spawn
      i32.const 0
      i32.lt_s
      br_if 0 (;@1;)
      i32.const 0
      i32.const 3
      i32.store offset=16468
      i32.const 0
      i32.const 1
      i32.store offset=16464
      i32.const 0
      i32.const 32864
      i32.store offset=16456
      i32.const 0
      i32.const 0
      i32.store offset=16460
      i32.const 0
      i32.const 0
      i32.atomic.store offset=16472
      i32.const 16456
      call $thread_spawn
      i32.const 0
      i32.lt_s
      br_if 0 (;@1;)
      block  ;; label = @2
        i32.const 0
        i32.atomic.load offset=16400
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0
          i32.const 0
          i64.const -1
          memory.atomic.wait32 offset=16400
          drop
          i32.const 0
          i32.atomic.load offset=16400
          i32.eqz
          br_if 0 (;@3;)
        end
      end
      block  ;; label = @2
        i32.const 0
        i32.atomic.load offset=16424
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0
          i32.const 0
          i64.const -1
          memory.atomic.wait32 offset=16424
          drop
          i32.const 0
          i32.atomic.load offset=16424
          i32.eqz
          br_if 0 (;@3;)
        end
      end
      block  ;; label = @2
        i32.const 0
        i32.atomic.load offset=16448
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0
          i32.const 0
          i64.const -1
          memory.atomic.wait32 offset=16448
          drop
          i32.const 0
          i32.atomic.load offset=16448
          i32.eqz
          br_if 0 (;@3;)
        end
      end
      block  ;; label = @2
        i32.const 0
        i32.atomic.load offset=16472
        br_if 0 (;@2;)
        loop  ;; label = @3
          i32.const 0
          i32.const 0
          i64.const -1
          memory.atomic.wait32 offset=16472
          drop
          i32.const 0
          i32.atomic.load offset=16472
          i32.eqz
          br_if 0 (;@3;)
        end
      end
      return
    end
    i32.const 1
    call $proc_exit
    unreachable)
  (func $run (type 0) (param i32)
    (local i32 i32 i32)
    global.get $__stack_pointer
    i32.const 336
    i32.sub
    local.tee 1
    global.set $__stack_pointer
    local.get 0
    i32.const 97
    i32.add
    local.set 0
    i32.const 0
    local.set 2
    block  ;; label = @1
      loop  ;; label = @2
        local.get 1
        i32.const 32
        i32.add
        local.get 2
        i32.add
        local.tee 3
        local.get 0
        i32.store8
        local.get 3
        i32.const 2
        i32.add
        local.get 0
        i32.store8
        local.get 3
        i32.const 1
        i32.add
        local.get 0
        i32.store8
        local.get 2
        i32.const 296
        i32.eq
        br_if 1 (;@1;)
        local.get 3
        i32.const 7
        i32.add
        local.get 0
        i32.store8
        local.get 3
        i32.const 6
        i32.add
        local.get 0
        i32.store8
        local.get 3
        i32.const 5
        i32.add
        local.get 0
        i32.store8
        local.get 3
        i32.const 4
        i32.add
        local.get 0
        i32.store8
        local.get 3
        i32.const 3
        i32.add
        local.get 0
        i32.store8
        local.get 2
        i32.const 8
        i32.add
        local.set 2
        br 0 (;@2;)
      end
    end
    local.get 1
    i32.const 10
    i32.store8 offset=331
    local.get 1
    i32.const 200
    i32.store offset=28
    local.get 1
    i32.const 100
    i32.store offset=20
    local.get 1
    local.get 1
    i32.const 32
    i32.add
    i32.const 100
    i32.add
    i32.store offset=24
    local.get 1
    local.get 1
    i32.const 32
    i32.add
    i32.store offset=16
    i32.const 50
    local.set 0
    block  ;; label = @1
      loop  ;; label = @2
        local.get 1
        i32.const 0
        i32.store offset=12
        i32.const 1
        local.get 1
        i32.const 16
        i32.add
        i32.const 2
        local.get 1
        i32.const 12
        i32.add
        call $fd_write
        br_if 1 (;@1;)
        local.get 1
        i32.load offset=12
        i32.const 300
        i32.ne
        br_if 1 (;@1;)
        local.get 0
        i32.const -1
        i32.add
        local.tee 0
        br_if 0 (;@2;)
      end
      local.get 1
      i32.const 336
      i32.add
      global.set $__stack_pointer
      return
    end
    i32.const 3
    call $proc_exit
    unreachable)
  (table (;0;) 2 2 funcref)
  (global $__stack_pointer (mut i32) (i32.const 16384))
  (global $__tls_base (mut i32) (i32.const 0))
  (global $__tls_size i32 (i32.const 0))
  (global (;3;) i32 (i32.const 32868))
  (global (;4;) i32 (i32.const 32880))
  (export "memory" (memory 0))
  (export "__stack_pointer" (global $__stack_pointer))
  (export "wasi_thread_start" (func $wasi_thread_start))
  (export "_start" (func $_start))
  (export "__data_end" (global 3))
  (export "__heap_base" (global 4))
  (start $__wasm_init_memory)
  (elem (;0;) (i32.const 1) func $run))
