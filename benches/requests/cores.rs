//! Which processor core the servers run on, and which the load.

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where a thread, and what it starts, is to run.
#[derive(Clone, Copy)]
pub enum Core {
    Server,
    Load,
}

/// Moves this thread to a core of its own. With only one core they share it, and
/// differences look smaller than they are.
pub fn move_to(core: Core) {
    thread_local! { static ALLOWED: CpuSet = sched_getaffinity(None).expect("this thread's cores"); }
    let allowed = ALLOWED.with(|allowed| *allowed);
    let mut allowed = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    let first = allowed.next().expect("this thread runs somewhere");
    let mut chosen = CpuSet::new();
    chosen.set(match core {
        Core::Server => first,
        Core::Load => allowed.next().unwrap_or(first),
    });
    sched_setaffinity(None, &chosen).expect("one of the cores that were allowed");
}
