(module $grow.wasm
  (type (;0;) (func (param i32)))
  (type (;1;) (func (param i32) (result i32)))
  (type (;2;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;3;) (func))
  (type (;4;) (func (param i32 i32)))
  (import "env" "memory" (memory (;0;) 1 16 shared))
  (import "wasi" "thread-spawn" (func $thread_spawn (type 1)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (type 2)))
  (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (type 0)))
  (func $__wasm_init_tls (type 0) (param i32))
  (func $__wasm_init_memory (type 3)
    block  ;; label = @1
      block  ;; label = @2
        block  ;; label = @3
          i32.const 32896
          i32.const 0
          i32.const 1
          i32.atomic.rmw.cmpxchg
          br_table 0 (;@3;) 1 (;@2;) 2 (;@1;)
        end
        i32.const 16384
        i32.const 0
        i32.const 16512
        memory.fill
        i32.const 32896
        i32.const 2
        i32.atomic.store
        i32.const 32896
        i32.const -1
        memory.atomic.notify
        drop
        br 1 (;@1;)
      end
      i32.const 32896
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
    (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
    global.get $__stack_pointer
    i32.const 32
    i32.sub
    local.tee 0
    global.set $__stack_pointer
    memory.size
    local.set 1
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
      block  ;; label = @2
        memory.size
        local.get 1
        i32.const 8
        i32.add
        i32.ne
        br_if 0 (;@2;)
        i32.const 0
        local.set 2
        i32.const 0
        i32.load offset=32892
        i32.const 16
        i32.shl
        local.tee 1
        i32.load offset=65532
        local.set 3
        local.get 1
        i32.load offset=12
        local.set 1
        i32.const 0
        i32.load offset=32888
        i32.const 16
        i32.shl
        local.tee 4
        i32.load offset=65532
        local.set 5
        local.get 4
        i32.load offset=12
        local.set 4
        i32.const 0
        i32.load offset=32884
        i32.const 16
        i32.shl
        local.tee 6
        i32.load offset=65532
        local.set 7
        local.get 6
        i32.load offset=8
        local.set 6
        i32.const 0
        i32.load offset=32880
        i32.const 16
        i32.shl
        local.tee 8
        i32.load offset=65532
        local.set 9
        local.get 8
        i32.load offset=8
        local.set 8
        i32.const 0
        i32.load offset=32876
        i32.const 16
        i32.shl
        local.tee 10
        i32.load offset=65532
        local.set 11
        local.get 10
        i32.load offset=4
        local.set 10
        i32.const 0
        i32.load offset=32872
        i32.const 16
        i32.shl
        local.tee 12
        i32.load offset=65532
        local.set 13
        local.get 12
        i32.load offset=4
        local.set 12
        i32.const 0
        i32.load offset=32868
        i32.const 16
        i32.shl
        local.tee 14
        i32.load offset=65532
        local.set 15
        local.get 14
        i32.load
        local.set 14
        i32.const 0
        i32.load offset=32864
        i32.const 16
        i32.shl
        local.tee 16
        i32.load offset=65532
        local.set 17
        local.get 16
        i32.load
        local.set 16
        local.get 0
        i32.const 10
        i32.store8 offset=19
        local.get 3
        local.get 1
        local.get 5
        local.get 4
        local.get 7
        local.get 6
        local.get 9
        local.get 8
        local.get 11
        local.get 10
        local.get 13
        local.get 12
        local.get 15
        local.get 14
        local.get 16
        local.get 17
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        i32.add
        local.set 1
        loop  ;; label = @3
          local.get 0
          i32.const 9
          i32.add
          local.get 2
          i32.add
          i32.const 9
          i32.add
          local.get 1
          local.get 1
          i32.const 10
          i32.div_u
          local.tee 3
          i32.const 10
          i32.mul
          i32.sub
          i32.const 48
          i32.or
          i32.store8
          local.get 2
          i32.const -1
          i32.add
          local.set 2
          local.get 1
          i32.const 9
          i32.gt_u
          local.set 4
          local.get 3
          local.set 1
          local.get 4
          br_if 0 (;@3;)
        end
        local.get 0
        i32.const 1
        local.get 2
        i32.sub
        i32.store offset=28
        local.get 0
        local.get 0
        i32.const 9
        i32.add
        local.get 2
        i32.add
        i32.const 10
        i32.add
        i32.store offset=24
        i32.const 1
        local.get 0
        i32.const 24
        i32.add
        i32.const 1
        local.get 0
        i32.const 20
        i32.add
        call $fd_write
        drop
        local.get 0
        i32.const 32
        i32.add
        global.set $__stack_pointer
        return
      end
      i32.const 4
      call $proc_exit
      unreachable
    end
    i32.const 1
    call $proc_exit
    unreachable)
  (func $run (type 0) (param i32)
    (local i32 i32 i32 i32 i32)
    local.get 0
    i32.const 3
    i32.shl
    local.tee 1
    i32.const 1
    memory.grow
    local.tee 2
    i32.store offset=32864
    block  ;; label = @1
      local.get 2
      i32.const -1
      i32.eq
      br_if 0 (;@1;)
      local.get 2
      i32.const 16
      i32.shl
      local.tee 2
      local.get 0
      i32.const 2
      i32.shl
      local.tee 3
      i32.add
      local.get 0
      i32.const 1
      i32.add
      local.tee 4
      i32.store
      local.get 2
      local.get 0
      i32.const 10
      i32.add
      local.tee 5
      i32.store offset=65532
      local.get 1
      i32.const 32864
      i32.add
      i32.const 1
      memory.grow
      local.tee 0
      i32.store offset=4
      local.get 0
      i32.const -1
      i32.eq
      br_if 0 (;@1;)
      local.get 0
      i32.const 16
      i32.shl
      local.tee 0
      local.get 3
      i32.add
      local.get 4
      i32.store
      local.get 0
      local.get 5
      i32.store offset=65532
      return
    end
    i32.const 3
    call $proc_exit
    unreachable)
  (table (;0;) 2 2 funcref)
  (global $__stack_pointer (mut i32) (i32.const 16384))
  (global $__tls_base (mut i32) (i32.const 0))
  (global $__tls_size i32 (i32.const 0))
  (global (;3;) i32 (i32.const 32900))
  (global (;4;) i32 (i32.const 32912))
  (export "memory" (memory 0))
  (export "__stack_pointer" (global $__stack_pointer))
  (export "wasi_thread_start" (func $wasi_thread_start))
  (export "_start" (func $_start))
  (export "__data_end" (global 3))
  (export "__heap_base" (global 4))
  (start $__wasm_init_memory)
  (elem (;0;) (i32.const 1) func $run))
