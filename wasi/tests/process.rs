//! Arguments, environment, clocks, random bytes, standard streams, signals.

mod common;

use common::{Guest, RESULT, RESULT_2, with_streams};
use precast_loader::Runtime;
use precast_wasi::types::fdflags;
use precast_wasi::{
    BuildError, Errno, Exit, Input, Output, OutputBuffer, Raised, Rights, WasiContext,
};

#[test]
fn arguments_and_environment_are_laid_out_as_documented() {
    let builder = WasiContext::builder()
        .args(["prog", "", "ünï"])
        .env("HOME", "/home")
        .env("EMPTY", "")
        .env("EQUALS", "a=b");
    let mut guest = Guest::new(builder);
    let context = guest.context.clone();
    context
        .args_sizes_get(&mut guest.memory(), RESULT, RESULT_2)
        .unwrap();
    assert_eq!(
        (guest.u32_at(RESULT), guest.u32_at(RESULT_2)),
        (3, 5 + 1 + 6)
    );
    let (pointers, buffer) = (100, 200);
    context
        .args_get(&mut guest.memory(), pointers, buffer)
        .unwrap();
    assert_eq!(
        [0, 4, 8].map(|offset| guest.u32_at(pointers + offset)),
        [200, 205, 206]
    );
    assert_eq!(guest.bytes_at(200, 12), "prog\0\0ünï\0".as_bytes());

    context
        .environ_sizes_get(&mut guest.memory(), RESULT, RESULT_2)
        .unwrap();
    assert_eq!(
        (guest.u32_at(RESULT), guest.u32_at(RESULT_2)),
        (3, 11 + 7 + 11)
    );
    context
        .environ_get(&mut guest.memory(), pointers, buffer)
        .unwrap();
    assert_eq!(
        [0, 4, 8].map(|offset| guest.u32_at(pointers + offset)),
        [200, 211, 218]
    );
    assert_eq!(guest.bytes_at(200, 29), b"HOME=/home\0EMPTY=\0EQUALS=a=b\0");
}

#[test]
fn strings_may_end_with_the_memory() {
    let mut guest = Guest::new(WasiContext::builder().arg("abc"));
    let context = guest.context.clone();
    let end = common::MEMORY as u32 - 4;
    context.args_get(&mut guest.memory(), 0, end).unwrap();
    assert_eq!(guest.bytes_at(end, 4), b"abc\0");
}

#[test]
fn what_no_guest_could_understand_is_refused() {
    let runtime = Runtime::system().unwrap();
    let built = WasiContext::builder()
        .arg("fine")
        .arg("a\0b")
        .build(&runtime);
    assert!(matches!(built, Err(BuildError::NulInArgument { index: 1 })));
    let built = WasiContext::builder().env("A=B", "1").build(&runtime);
    assert!(matches!(built, Err(BuildError::BadVariable { index: 0 })));
    let built = WasiContext::builder().env("A", "1\0").build(&runtime);
    assert!(matches!(built, Err(BuildError::BadVariable { index: 0 })));
    let built = WasiContext::builder().max_descriptors(2).build(&runtime);
    assert!(matches!(
        built,
        Err(BuildError::TooManyDescriptors { limit: 2 })
    ));
}

#[test]
fn clocks_run() {
    let mut guest = Guest::new(WasiContext::builder());
    let context = guest.context.clone();
    let mut read = |clock| -> Result<u64, Errno> {
        context.clock_time_get(&mut guest.memory(), clock, 0, RESULT)?;
        Ok(guest.u64_at(RESULT))
    };
    let real = std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64;
    assert!(read(0).unwrap() - real < 10_000_000_000);
    let first = read(1).unwrap();
    assert!(first > 0 && first < 60_000_000_000, "near zero, not zero");
    assert!(read(1).unwrap() >= first);
    assert!(read(2).unwrap() > 0);
    assert!(read(3).unwrap() > 0);
    assert_eq!(read(4), Err(Errno::Invalid));
    for clock in 0..4 {
        context
            .clock_res_get(&mut guest.memory(), clock, RESULT)
            .unwrap();
        assert!(guest.u64_at(RESULT) > 0);
    }
    assert_eq!(
        context.clock_res_get(&mut guest.memory(), 9, RESULT),
        Err(Errno::Invalid)
    );
}

#[test]
fn random_bytes_fill_the_buffer() {
    let mut guest = Guest::new(WasiContext::builder());
    let context = guest.context.clone();
    context.random_get(&mut guest.memory(), 100, 1000).unwrap();
    assert!(
        guest
            .bytes_at(100, 1000)
            .chunks(100)
            .all(|chunk| chunk.iter().any(|&b| b != 0))
    );
    assert!(guest.bytes[..100].iter().all(|&byte| byte == 0));
    assert!(guest.bytes[1100..].iter().all(|&byte| byte == 0));
    context
        .random_get(&mut guest.memory(), 0, common::MEMORY as u32)
        .unwrap();
    context
        .random_get(&mut guest.memory(), common::MEMORY as u32, 0)
        .unwrap();
}

#[test]
fn streams_of_the_host_program_carry_bytes() {
    let (mut guest, output) = with_streams(b"input line\n");
    assert_eq!(guest.read(0, 5).unwrap(), b"input");
    assert_eq!(guest.read(0, 100).unwrap(), b" line\n");
    assert_eq!(guest.read(0, 100).unwrap(), b"");
    assert_eq!(guest.write(1, b"output"), Ok(6));
    assert_eq!(output.contents(), b"output");
    assert_eq!(output.take(), b"output");
    assert_eq!(output.contents(), b"");
    assert_eq!(guest.write(2, b"vanishes"), Ok(8));
    assert_eq!(guest.write(0, b"x"), Err(Errno::BadDescriptor));
    assert_eq!(guest.read(1, 1), Err(Errno::BadDescriptor));
    assert_eq!(guest.seek(1, 0, 1), Err(Errno::NotSeekable));
    let (file_type, flags, rights, _) = guest.fdstat(1).unwrap();
    assert_eq!((file_type, flags), (0, 0));
    assert!(rights.contains(Rights::FD_WRITE) && !rights.contains(Rights::FD_SEEK));
    guest.context.fd_sync(1).unwrap();
    guest
        .context
        .fd_fdstat_set_flags(0, fdflags::NONBLOCK)
        .unwrap();
    assert_eq!(u32::from(guest.fdstat(0).unwrap().1), fdflags::NONBLOCK);
}

#[test]
fn output_buffers_have_limits() {
    let output = OutputBuffer::new(5);
    let builder = WasiContext::builder().stdout(Output::Buffer(output.clone()));
    let mut guest = Guest::new(builder);
    assert_eq!(guest.write(1, b"1234"), Ok(4));
    assert_eq!(guest.write(1, b"5678"), Ok(1));
    assert_eq!(guest.write(1, b"9"), Err(Errno::NoSpace));
    assert_eq!(output.contents(), b"12345");
}

#[test]
fn streams_can_be_files_and_pipes() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("output");
    let (reader, writer) = std::io::pipe().unwrap();
    let file = std::fs::File::create(&path).unwrap();
    let builder = WasiContext::builder()
        .stdin(Input::File(reader.into()))
        .stdout(Output::File(file.into()));
    let mut guest = Guest::new(builder);
    std::io::Write::write_all(&mut &writer, b"piped").unwrap();
    assert_eq!(guest.read(0, 100).unwrap(), b"piped");
    assert_eq!(guest.seek(0, 0, 1), Err(Errno::NotSeekable));
    guest
        .context
        .fd_fdstat_set_flags(0, fdflags::NONBLOCK)
        .unwrap();
    assert_eq!(guest.read(0, 1), Err(Errno::Again));
    drop(writer);
    assert_eq!(guest.read(0, 100).unwrap(), b"");
    assert_eq!(
        guest.fdstat(0).unwrap().0,
        0,
        "pipes have no type of their own"
    );

    guest.write(1, b"written").unwrap();
    assert_eq!(guest.seek(1, 0, 0), Ok(0));
    assert_eq!(guest.fdstat(1).unwrap().0, 4);
    assert_eq!(std::fs::read(path).unwrap(), b"written");
}

#[test]
fn a_broken_pipe_is_an_error() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut guest = Guest::new(WasiContext::builder().stdout(Output::File(writer.into())));
    assert_eq!(guest.write(1, b"x"), Err(Errno::Pipe));
}

#[test]
fn ending_and_signals() {
    let runtime = Runtime::system().unwrap();
    let context = WasiContext::builder().build(&runtime).unwrap();
    assert_eq!(context.proc_exit(7), Exit(7));
    assert_eq!(context.proc_raise(6), Ok(Raised::Ends(Exit(134))));
    assert_eq!(context.proc_raise(17), Ok(Raised::Ignored));
    assert_eq!(context.proc_raise(18), Err(Errno::NotSupported));
    assert_eq!(context.proc_raise(31), Err(Errno::Invalid));
    context.sched_yield().unwrap();
}

#[test]
fn a_context_is_shared_between_threads() {
    let (mut guest, output) = with_streams(b"");
    let context = guest.context.clone();
    let (reader, mut writer) = std::io::pipe().unwrap();
    let waiting = Guest::new(WasiContext::builder().stdin(Input::File(reader.into())));
    std::thread::scope(|scope| {
        // One thread waits for input; another uses the same context meanwhile.
        let mut other = Guest::new(WasiContext::builder());
        other.context = waiting.context.clone();
        let reading = scope.spawn(move || other.read(0, 10));
        waiting.context.fd_close(2).unwrap();
        std::io::Write::write_all(&mut writer, b"now").unwrap();
        assert_eq!(reading.join().unwrap().unwrap(), b"now");

        let mut second = Guest::new(WasiContext::builder());
        second.context = context;
        scope.spawn(move || second.write(1, b"b").unwrap());
        guest.write(1, b"a").unwrap();
    });
    assert_eq!(output.contents().len(), 2);
}
