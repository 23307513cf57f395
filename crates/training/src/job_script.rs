//! Scripts that do tasks: a job array of Slurm, GNU parallel, a loop of the shell.

use std::path::Path;

use clap::ValueEnum;

use crate::command_line;

/// The engine that a script is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// A job array for `sbatch`.
    Slurm,
    /// GNU parallel.
    Parallel,
    /// A loop, one task after the other.
    Shell,
}

impl Form {
    /// The script for so many tasks, whose records are in `folder`.
    ///
    /// It calls this very program and not cargo, which would hand no signal on, and might compile on each machine.
    pub(crate) fn script(self, folder: &Path, tasks: usize, at_a_time: u16) -> String {
        let program = std::env::current_exe()
            .unwrap_or_else(|_| std::env::args_os().next().unwrap_or_default().into());
        let command = command_line(&system::quoted(program));
        let place = system::quoted(std::env::current_dir().unwrap_or_default());
        let (shown, last) = (folder.display(), tasks - 1);
        let collect = format!("cd {place} && {command} --collect");
        match self {
            Self::Slurm => {
                let name = folder.file_name().unwrap_or_default().to_string_lossy();
                let threads = rayon::current_num_threads();
                format!(
                    r#"#!/bin/bash
# The {tasks} tasks of {shown}. Submit with sbatch, whose options (--time, --cpus-per-task) come before the lines below.
# Two minutes before the time limit a training saves its checkpoint, and the task is queued again. When the array has
# ended, or with sbatch --dependency=afterok:JOB:
#   {collect}
#SBATCH --job-name={name}
#SBATCH --array=0-{last}%{at_a_time}
#SBATCH --cpus-per-task={threads}
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
cd {place} || exit
{command} --task "$SLURM_ARRAY_TASK_ID" &
worker=$!
requeue() {{
    kill -TERM "$worker"
    wait "$worker"
    status=$?
    # 130: saved, 143: ended at once. Anything else ended by itself.
    case $status in
    130 | 143) scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_$SLURM_ARRAY_TASK_ID" ;;
    esac
    exit "$status"
}}
trap requeue USR1
# Slurm itself sends it to all processes of a job that is cancelled or queued again: the training needs time to save.
trap 'wait "$worker"; exit' TERM
wait "$worker"
"#
                )
            }
            Self::Parallel => format!(
                r#"#!/bin/sh
# The {tasks} tasks of {shown}. Run again, it skips what is finished. On a signal, each training has a minute to save.
cd {place} || exit
seq 0 {last} | parallel --quote --line-buffer --jobs {at_a_time} --termseq TERM,60000,KILL,25 \
    {command} --task '{{}}' || exit
{command} --collect
"#
            ),
            Self::Shell => format!(
                r#"#!/bin/sh
# The {tasks} tasks of {shown}. Run again, it skips what is finished.
cd {place} || exit
for task in $(seq 0 {last}); do
    {command} --task "$task" || exit
done
{command} --collect
"#
            ),
        }
    }
}
