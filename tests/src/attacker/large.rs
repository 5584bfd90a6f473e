//! The largest manifests, and a file that seems to be larger than any.

use std::os::fd::AsFd;
use std::time::Duration;

use anyhow::Result;

use crate::client::{Target, hello, receive, send};
use crate::manifests::{Executable, LARGEST, filled, sparse};

/// One that is larger than any that gopatchd reads.
const TOO_LARGE: usize = LARGEST + 1;

/// Threads that send manifests.
const SENDERS: usize = 4;

/// Sends the largest manifests.
pub(crate) fn send_all(target: &Target, _: Option<&str>) -> Result<()> {
    let function = r#"{"name":"f","rule":"r","kind":"internal","operation":"o","va":1},"#;
    let manifests = [
        filled(r#""functions":["#, function, LARGEST),
        filled(r#""points":["#, r#"{"function":0,"at":"enter","captures":[]},"#, LARGEST),
        filled(r#""sites":"#, "[", LARGEST),
        filled(r#""tool":""#, "x", LARGEST),
        filled(r#""tool":""#, "x", TOO_LARGE),
    ];
    let mut executables = manifests.iter().map(|json| Executable::with(json)).collect::<Result<Vec<_>>>()?;
    drop(manifests);
    executables.push(sparse()?);
    std::thread::scope(|scope| {
        for thread in 0..SENDERS {
            let executables = &executables;
            scope.spawn(move || {
                for executable in executables.iter().cycle().skip(thread) {
                    if let Some(connection) = target.connect()
                        && send(&connection, &hello(1, executable.id), Some(executable.file.as_fd()))
                    {
                        target.tally.add("sent", 1);
                        target.tally.add("attached", u64::from(receive(&connection).is_some()));
                    }
                    std::thread::sleep(Duration::from_millis(10));
                }
            });
        }
    });
    Ok(())
}
