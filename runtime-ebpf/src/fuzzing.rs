//! What gopatchd does with each kind of input from outside, for the fuzz targets of `tests/fuzz`.
//!
//! Each function here takes any bytes and must return: within a second, within its memory, without a
//! panic. No other code uses them.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;

use anyhow::Result;
use gopatch_protocol::manifest::Manifest;
use gopatch_protocol::wire::{CONTROL_NAME, Hello, forwarded, ring};
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};

use crate::attach::control_page::{ControlPage, Owner};
use crate::calls::clock::Clock;
use crate::calls::operation::Operation;
use crate::calls::order::Order;
use crate::calls::program::{self, Program};
use crate::calls::{Calls, Entries, Event};
use crate::client;
use crate::config::file::Settings;
use crate::console::line::append_line;
use crate::console::text::printable_json;
use crate::control::api::{Operations, Status};
use crate::control::switch::{Switch, Switches};
use crate::quota::Quotas;
use crate::quota::table::Limits;
use crate::rings::published_records;
use crate::summary::Summary;
use crate::telemetry::activity::Activity;
use crate::telemetry::conventions::Conventional;
use crate::telemetry::metrics::{Keeping, Metrics, Pushed};
use crate::telemetry::resource::{Naming, Resource};
use crate::telemetry::span;

/// Series of each metric, as by default.
const SERIES: usize = 2000;

/// Reads a settings file, and one value of an environment variable.
pub fn settings(text: &str) {
    if let Ok(settings) = Settings::parse(text) {
        let _ = settings.resolve();
    }
    for name in ["OTEL_RESOURCE_ATTRIBUTES", "OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_TRACES_SAMPLER_ARG"] {
        let settings = Settings::default().with_environment(&|one| (one == name).then(|| text.to_owned()));
        let _ = settings.map(Settings::resolve);
    }
}

/// Reads a request of the control socket, and does what it says.
pub fn request(body: &[u8]) {
    if let Ok(Switch { rule, setting, .. }) = serde_json::from_slice(body) {
        let mut switches = Switches::default();
        switches.set(&rule, setting);
        serde_json::to_string(&switches.state(&rule)).expect("a state is JSON");
    }
}

/// Reads an answer of the control socket, and shows it as `status` and `top` do.
pub fn answer(body: &[u8]) {
    if let Ok(status) = serde_json::from_slice::<Status>(body) {
        client::format_status(&status);
    }
    if let Ok(operations) = serde_json::from_slice::<Vec<Operations>>(body) {
        client::draw_operations(operations).expect("a test screen takes all");
    }
    if let Ok(any) = serde_json::from_slice::<serde_json::Value>(body) {
        printable_json(&format!("{any:#}\n"));
    }
}

/// Reads what a process sends first.
pub fn hello(message: &[u8]) {
    if let Some(hello) = Hello::parse(message) {
        let large = ring::large(hello.rings_wanted);
        assert!(large < ring::count(hello.rings_wanted), "there are spare rings");
    }
}

/// A memory file, into which one input after another is written.
pub struct MemoryFile(File);

impl MemoryFile {
    /// A memory file that cannot shrink.
    pub fn new() -> io::Result<Self> {
        let file = memfd_create(CONTROL_NAME, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        fcntl_add_seals(&file, SealFlags::SHRINK)?;
        Ok(Self(file.into()))
    }

    /// Reads the control page of a running process.
    pub fn control_page(&self, page: &[u8]) -> Result<()> {
        self.0.write_all_at(page, 0)?;
        if self.0.metadata()?.len() < MAX_CONTROL_PAGE {
            ftruncate(&self.0, MAX_CONTROL_PAGE)?;
        }
        if let Ok((page, description)) = ControlPage::open(&self.0, Owner::random()?) {
            assert!(description.large_rings < description.rings, "there are spare rings");
            page.has_room_for(description.rings as usize);
            page.counted();
        }
        Ok(())
    }
}

/// Bytes of the file of a control page.
const MAX_CONTROL_PAGE: u64 = 4096;

/// Finds the manifest in an executable.
pub fn executable(bytes: &[u8]) -> Result<()> {
    let mut file = File::from(memfd_create("executable", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    if let Ok((json, _)) = program::section(file, 0, &Quotas::new(Limits::default())) {
        manifest(&json);
    }
    Ok(())
}

/// Reads a manifest, and prepares all that depends on it.
pub fn manifest(json: &[u8]) {
    let Ok(manifest) = Manifest::parse(json) else { return };
    let program = Program::new(manifest);
    Resource::detect(0, program.input(), &Naming::default());
    Metrics::new(&program, Keeping { pushed: Pushed::default(), limit: SERIES }, 0, &Quotas::new(Limits::default()));
    for index in 0..program.functions() {
        program.captures_of(index).count();
    }
}

/// A program whose records are read.
pub struct Recorder {
    program: Program,
    clock: Clock,
}

impl Recorder {
    /// Reads the manifest of a program.
    pub fn new(manifest: &[u8]) -> Result<Self> {
        Ok(Self { program: Program::new(Manifest::parse(manifest)?), clock: Clock::start() })
    }

    /// Reads the published bytes of rings, one pass after another, and does with their records all
    /// that a running gopatchd does. The first byte says how.
    pub fn take(&self, input: &[u8]) {
        let Some((how, published)) = input.split_first() else { return };
        let program = &self.program;
        let entries = if how & 1 == 0 { Entries::Once } else { Entries::MayRepeat };
        let pushed = Pushed { delta: how & 2 != 0, exponential: how & 4 != 0 };
        let mut sink = Sink::new(program, Keeping { pushed, limit: SERIES });
        let mut calls = Calls::new(1, entries);
        let mut order = Order::new();
        let mut last = 0;
        for pass in published.chunks(8 << (how >> 4)).chain([&[][..], &[]]) {
            let (bytes, mut fresh) = order.fresh();
            let mut take = |at, payload: &[u8]| {
                if let Some((event, payload)) = Event::read(payload, program) {
                    fresh.push(event, at, payload.len());
                }
            };
            let start = bytes.len();
            bytes.extend_from_slice(pass);
            if how & 8 == 0 {
                let _ = published_records(&bytes[start..], &mut |at, payload| take(start + at, payload));
            } else {
                for (_, at, payload) in forwarded::records(&bytes[start..]) {
                    take(start + at, payload);
                }
            }
            if let Some(tsc) = pass.first_chunk() {
                last = u64::from_le_bytes(*tsc);
            }
            if last & 0xff == 7 {
                calls.begin_gap(last);
            }
            order.end_pass();
            calls.take_all(order.ready(0), program, &self.clock, &mut |operation| sink.take(operation));
            calls.end_pass(program, &self.clock, &mut |operation| sink.take(operation));
        }
        let mut summary = Summary::default();
        calls.finish(last, program, &self.clock, &mut summary, &mut |operation| sink.take(operation));
        serde_json::from_slice::<serde_json::Value>(&sink.json).expect("an operation is JSON");
    }
}

/// Where finished operations go.
struct Sink<'p> {
    program: &'p Program,
    metrics: Metrics,
    activity: Activity,
    text: Vec<u8>,
    /// An operation, as a line of JSON.
    json: Vec<u8>,
}

impl<'p> Sink<'p> {
    fn new(program: &'p Program, keeping: Keeping) -> Self {
        let metrics = Metrics::new(program, keeping, 0, &Quotas::new(Limits::default()));
        Self { program, metrics, activity: Activity::default(), text: Vec::new(), json: b"null\n".to_vec() }
    }

    fn take(&mut self, operation: &mut Operation<'_>) {
        let convention = self.program.convention(operation.function);
        self.json.clear();
        operation.json(&mut self.json);
        self.text.clear();
        append_line(operation, &mut self.text);
        assert_eq!(self.text.split(|byte| *byte == b'\n').count(), 2, "a line of the table");
        self.metrics.add(operation, true);
        self.activity.add(operation, Conventional { operation, convention }.error_type().is_some());
        span::decode(&span::encode(operation, convention, self.program));
    }
}
