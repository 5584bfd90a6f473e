//! Makes what a session consists of on this side, or opens it again.
//!
//! Decides: how large the rings of a new session are.
//! Trusts: a candidate's numbers, which the handshake has checked.
//! Never does: wait for the process.

use std::os::fd::{AsFd, BorrowedFd};

use anyhow::anyhow;
use gopatch_protocol::wire::{Reply, SPARE_RINGS_NAME, ring};

use super::control_page::{ControlPage, Description, Owner};
use super::finder::{OwnSocket, RingFiles};
use super::handshake::{Candidate, Refusal, Source, send_session};
use super::offer::Started;
use crate::rings::{self, Backend, MemfdRings, Rings, Several};

/// Starts the sessions of one gopatchd.
pub(crate) struct Starter {
    /// Of each large ring, if it is set.
    pub(crate) ring_bytes: Option<u32>,
    pub(crate) socket: OwnSocket,
    pub(crate) owner: Owner,
    pub(crate) backend: Box<dyn Backend>,
}

impl Starter {
    /// Gives a process its session, or opens the one that it has. The rings of other sessions take
    /// `in_use` bytes.
    pub(crate) fn start(&mut self, candidate: &Candidate, in_use: u64) -> Result<Started, Refusal> {
        match candidate.source() {
            Source::Connection(socket) => self.offer(socket.as_fd(), candidate, in_use),
            Source::Session { description, files, .. } => self.reopen(description, files),
        }
    }

    /// Makes all that a session needs and sends it to the process.
    fn offer(&mut self, socket: BorrowedFd<'_>, candidate: &Candidate, in_use: u64) -> Result<Started, Refusal> {
        let processors = candidate.processors();
        let (count, large) = (ring::count(processors), ring::large(processors));
        let ring_bytes = rings::ring_bytes(self.ring_bytes, large, in_use);
        let new = self.backend.create(large, ring_bytes).map_err(Refusal::Rings)?;
        let (spare, spare_file) = MemfdRings::create(SPARE_RINGS_NAME, count - large, ring::SPARE_BYTES)?;
        let description = Description {
            manifest_id: candidate.hello.manifest_id,
            rings: count,
            large_rings: large,
            ring_bytes,
            bpf_ids: new.bpf_ids,
            socket: self.socket.place(),
        };
        let (control, control_file, control_bytes) =
            ControlPage::create(candidate.program.functions(), self.owner, &description)?;
        let reply = Reply { status: Reply::OK, rings: count, large_rings: large, ring_bytes, control_bytes };
        let files: Vec<_> = std::iter::once(control_file).chain(new.files).chain([spare_file]).collect();
        send_session(socket, &reply, &files)?;
        let rings = Several(vec![new.rings, Box::new(spare)]);
        Ok(Started { rings: Box::new(rings), ring_bytes, processors, control: Some(control) })
    }

    /// Opens the rings of a session that was found.
    fn reopen(&mut self, description: &Description, files: &RingFiles) -> Result<Started, Refusal> {
        let Description { rings, large_rings, ring_bytes, bpf_ids, .. } = description;
        let large: Box<dyn Rings> = match &files.large {
            _ if !bpf_ids.is_empty() => self.backend.reopen(bpf_ids, *ring_bytes).map_err(Refusal::Rings)?,
            Some(file) => Box::new(MemfdRings::reopen(file, *large_rings, *ring_bytes)?),
            None => return Err(Refusal::Rings(anyhow!("it has not mapped its rings"))),
        };
        let spare = MemfdRings::reopen(&files.spare, rings - large_rings, ring::SPARE_BYTES)?;
        let rings = Box::new(Several(vec![large, Box::new(spare)]));
        Ok(Started { rings, ring_bytes: *ring_bytes, processors: *large_rings, control: None })
    }
}
