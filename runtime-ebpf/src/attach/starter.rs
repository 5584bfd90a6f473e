//! Makes what a session consists of on this side, or opens it again.
//!
//! Decides: how large the rings of a new session are.
//! Trusts: a candidate's numbers, which the handshake has checked.
//! Never does: wait for the process.

use std::os::fd::AsFd;
use std::sync::Arc;

use anyhow::anyhow;
use gopatch_protocol::wire::{Reply, SPARE_RINGS_NAME, ring};

use super::control_page::{ControlPage, Description, Owner};
use super::finder::OwnSocket;
use super::handshake::{Candidate, Source, send_session};
use super::offer::Started;
use super::refusal::Refusal;
use crate::quota::Quotas;
use crate::quota::table::Kind;
use crate::rings::{self, Backend, MemfdRings, Rings, Several};

/// Starts the sessions of one gopatchd.
pub(crate) struct Starter {
    /// Of each large ring, if it is set.
    pub(crate) ring_bytes: Option<u32>,
    pub(crate) socket: OwnSocket,
    pub(crate) owner: Owner,
    pub(crate) backend: Box<dyn Backend>,
    pub(crate) quotas: Arc<Quotas>,
}

impl Starter {
    /// Gives a process its session, or opens the one that it has. The rings of other sessions take
    /// `in_use` bytes.
    pub(crate) fn start(&mut self, candidate: &mut Candidate, in_use: u64) -> Result<Started, Refusal> {
        match candidate.source() {
            Source::Connection(_) => {
                let (all, large) = (ring::count(candidate.processors()), self.large_rings(candidate));
                let ring_bytes = rings::ring_bytes(self.ring_bytes, large, in_use);
                self.admit(candidate, (all, large, ring_bytes))?;
                self.offer(candidate, (all, large, ring_bytes))
            }
            Source::Session { description, .. } => {
                let Description { rings, large_rings, ring_bytes, .. } = *description;
                self.admit(candidate, (rings, large_rings, ring_bytes))?;
                self.reopen(candidate)
            }
        }
    }

    /// How many large rings a process gets: one for each P, unless its user has many. No more Ps than
    /// the machine has processors run at a time, and the others find a spare ring.
    fn large_rings(&self, candidate: &Candidate) -> u32 {
        let wanted = candidate.processors();
        let has_much =
            [Kind::Rings, Kind::RingBytes].iter().any(|kind| self.quotas.has_much(candidate.peer.uid, *kind));
        ring::large(if has_much { wanted.min(self.quotas.limits.processors) } else { wanted })
    }

    /// Takes what a session with these rings takes from its user.
    fn admit(&self, candidate: &mut Candidate, (all, large, ring_bytes): (u32, u32, u32)) -> Result<(), Refusal> {
        let spare = u64::from(all.saturating_sub(large)) * u64::from(ring::SPARE_BYTES);
        let bytes = u64::from(large) * u64::from(ring_bytes) + spare;
        let wanted = [(Kind::Sessions, 1), (Kind::Rings, u64::from(large)), (Kind::RingBytes, bytes)];
        let take = |(kind, amount)| self.quotas.take(candidate.peer.uid, kind, amount);
        candidate.shares = wanted.into_iter().map(take).collect::<Result<_, _>>()?;
        Ok(())
    }

    /// Makes all that a session needs and sends it to the process.
    fn offer(
        &mut self,
        candidate: &Candidate,
        (count, large, ring_bytes): (u32, u32, u32),
    ) -> Result<Started, Refusal> {
        let Source::Connection(socket) = candidate.source() else { return Err(Refusal::Over) };
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
        send_session(socket.as_fd(), &reply, &files)?;
        let rings = Several(vec![new.rings, Box::new(spare)]);
        Ok(Started { rings: Box::new(rings), ring_bytes, large, control: Some(control) })
    }

    /// Opens the rings of a session that was found.
    fn reopen(&mut self, candidate: &Candidate) -> Result<Started, Refusal> {
        let Source::Session { description, files, .. } = candidate.source() else { return Err(Refusal::Over) };
        let Description { rings, large_rings, ring_bytes, bpf_ids, .. } = description;
        let large: Box<dyn Rings> = match &files.large {
            _ if !bpf_ids.is_empty() => self.backend.reopen(bpf_ids, *ring_bytes).map_err(Refusal::Rings)?,
            Some(file) => Box::new(MemfdRings::reopen(file, *large_rings, *ring_bytes)?),
            None => return Err(Refusal::Rings(anyhow!("it has not mapped its rings"))),
        };
        let spare = MemfdRings::reopen(&files.spare, rings - large_rings, ring::SPARE_BYTES)?;
        let rings = Box::new(Several(vec![large, Box::new(spare)]));
        Ok(Started { rings, ring_bytes: *ring_bytes, large: *large_rings, control: None })
    }
}
