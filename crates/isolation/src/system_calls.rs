//! seccomp: the system calls that a program is refused, whoever runs it.
//!
//! What computes and reads needs a few dozen calls, but which ones differs from interpreter to interpreter. So those are
//! listed that reach beyond the process; they fail with `EPERM`, which programs report as any other error.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, Error, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, apply_filter,
};

use crate::IsolationError;

/// Calls that are refused whatever their arguments are.
const REFUSED: &[libc::c_long] = &[
    // Sockets of every family; io_uring could open them as well.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Other processes: their memory, files, signals, priorities; another group, where its end would not reach it.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_process_madvise,
    libc::SYS_process_mrelease,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_getfd,
    libc::SYS_pidfd_send_signal,
    libc::SYS_kcmp,
    libc::SYS_tkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_setpriority,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_mbind,
    libc::SYS_setpgid,
    libc::SYS_setsid,
    // What Landlock leaves out: owners, rights, times, attributes; cutting files short on old kernels.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    libc::SYS_utimensat,
    libc::SYS_truncate,
    libc::SYS_mknodat,
    libc::SYS_flock,
    libc::SYS_fanotify_init,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // Memory that no resource limit counts, and messages that outlive a process.
    libc::SYS_memfd_create,
    libc::SYS_memfd_secret,
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_semget,
    libc::SYS_msgget,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    // Limits, which root could raise.
    libc::SYS_setrlimit,
    // The system.
    libc::SYS_acct,
    libc::SYS_adjtimex,
    libc::SYS_bpf,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_clock_settime,
    libc::SYS_delete_module,
    libc::SYS_finit_module,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fsopen,
    libc::SYS_fspick,
    libc::SYS_init_module,
    libc::SYS_kexec_load,
    libc::SYS_mount,
    libc::SYS_mount_setattr,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_perf_event_open,
    libc::SYS_pivot_root,
    libc::SYS_quotactl,
    libc::SYS_reboot,
    libc::SYS_setdomainname,
    libc::SYS_sethostname,
    libc::SYS_setns,
    libc::SYS_settimeofday,
    libc::SYS_swapoff,
    libc::SYS_swapon,
    libc::SYS_sync,
    libc::SYS_syslog,
    libc::SYS_umount2,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
    libc::SYS_vhangup,
];

/// Those that have a number only where Linux is as old as the processor.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[libc::c_long] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_chmod,
    libc::SYS_chown,
    libc::SYS_lchown,
    libc::SYS_creat,
    libc::SYS_mknod,
    libc::SYS_utime,
    libc::SYS_utimes,
    libc::SYS_futimesat,
    libc::SYS_ioperm,
    libc::SYS_iopl,
    libc::SYS_kexec_file_load,
    libc::SYS_modify_ldt,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[libc::c_long] = &[];

/// Calls that a compiler needs to start its linker.
const OF_BUILDS: &[libc::c_long] = &[
    libc::SYS_clone,
    // How the standard library of Rust hears of a failed start.
    libc::SYS_socketpair,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
];

/// Calls that do not exist for the program: their arguments lie in memory, where no filter looks. The C library
/// uses older ones instead.
const ABSENT: [libc::c_long; 4] =
    // fchmodat2, as of Linux 6.6; numbers from 424 on are the same for all processors.
    [libc::SYS_clone3, libc::SYS_openat2, libc::SYS_execveat, 452];

/// Bit of the numbers by which the x32 programs of x86-64 make the same calls.
const X32: i64 = 0x4000_0000;

type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Refuses the calls from now on, but for those of a build if it is one.
pub(crate) fn refuse(is_build: bool) -> Result<String, IsolationError> {
    let missing = |error: Error| IsolationError::Missing(format!("seccomp: {error}"));
    let mut calls = refused().map_err(|error| missing(error.into()))?;
    calls.retain(|call, _| !(is_build && OF_BUILDS.contains(call)));
    let calls = install(calls, libc::EPERM).map_err(missing)?;
    let absent = ABSENT.iter().map(|&call| (call, vec![])).collect();
    let absent = install(absent, libc::ENOSYS).map_err(missing)?;
    Ok(format!("seccomp ({} system calls refused)", calls + absent))
}

/// Installs a filter; how many calls it is about.
fn install(mut rules: Rules, error: i32) -> Result<usize, Error> {
    let calls = rules.len();
    if cfg!(target_arch = "x86_64") {
        let same: Vec<_> = rules.iter().map(|(&call, rules)| (call | X32, rules.clone())).collect();
        rules.extend(same);
        // Calls that have a number of their own there, without which no such program starts.
        rules.extend((512..548).map(|call| (call | X32, vec![])));
    }
    let action = SeccompAction::Errno(error.cast_unsigned());
    let processor = std::env::consts::ARCH.try_into()?;
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, action, processor)?;
    apply_filter(&BpfProgram::try_from(filter)?)?;
    Ok(calls)
}

fn refused() -> Result<Rules, seccompiler::BackendError> {
    let mut rules: Rules = REFUSED.iter().chain(REFUSED_HERE).map(|&call| (call, vec![])).collect();
    let own = u64::from(std::process::id());
    let (has, is, is_not) = (
        |bits: i32| SeccompCmpOp::MaskedEq(bits.cast_unsigned().into()),
        SeccompCmpOp::Eq,
        SeccompCmpOp::Ne,
    );
    let bits = |bits: i32| u64::from(bits.cast_unsigned());
    let shared = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
    let conditions = [
        // Threads may be started, processes may not.
        (libc::SYS_clone, 0, has(libc::CLONE_THREAD), 0),
        // Signals to itself are sent by `abort`, for instance.
        (libc::SYS_kill, 0, is_not.clone(), own),
        (libc::SYS_tgkill, 0, is_not.clone(), own),
        // As a signal that an event sends to another process.
        (libc::SYS_fcntl, 1, is.clone(), bits(libc::F_SETOWN)),
        (libc::SYS_fcntl, 1, is.clone(), bits(F_SETSIG)),
        (libc::SYS_fcntl, 1, is.clone(), bits(F_SETOWN_EX)),
        (libc::SYS_prctl, 0, is.clone(), bits(libc::PR_SET_PDEATHSIG)),
        // Limits can be read, and only be read.
        (libc::SYS_prlimit64, 2, is_not, 0),
        (libc::SYS_mmap, 3, has(shared), bits(shared)),
        // Old versions of Landlock allow this to whoever may read.
        (libc::SYS_openat, 2, has(libc::O_TRUNC | libc::O_ACCMODE), bits(libc::O_TRUNC)),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_open, 1, has(libc::O_TRUNC | libc::O_ACCMODE), bits(libc::O_TRUNC)),
    ];
    for (call, argument, operator, value) in conditions {
        let length = match call {
            libc::SYS_prlimit64 => SeccompCmpArgLen::Qword,
            _ => SeccompCmpArgLen::Dword,
        };
        let condition = SeccompCondition::new(argument, length, operator, value)?;
        rules.entry(call).or_default().push(SeccompRule::new(vec![condition])?);
    }
    Ok(rules)
}

/// Commands of `fcntl` that the crate `libc` does not name.
const F_SETSIG: i32 = 10;
const F_SETOWN_EX: i32 = 15;
