//! A description of the machine, for the heads of tables.
use std::fs::read_to_string;

/// Processor, number of cores and memory, as far as the system tells.
pub fn describe() -> String {
    let field = |file: &str, name: &str| -> Option<String> {
        let text = read_to_string(file).ok()?;
        let line = text.lines().find(|line| line.starts_with(name))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    };
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.into());
    let simd = field("/proc/cpuinfo", "flags").map_or("", |flags| {
        if flags.contains("avx512f") {
            ", AVX-512"
        } else if flags.contains("avx2") {
            ", AVX2"
        } else {
            ""
        }
    });
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let memory = field("/proc/meminfo", "MemTotal").and_then(|text| text.trim_end_matches(" kB").parse::<u64>().ok());
    let memory = memory.map_or(String::new(), |kilobytes| format!(", {} GiB", kilobytes.div_ceil(1 << 20)));
    format!("{processor}{simd}, {cores} cores{memory}, {}", std::env::consts::OS)
}

/// Highest resident memory of this process so far in bytes; 0 where the system does not tell.
pub fn peak_memory_bytes() -> u64 {
    status_bytes("VmHWM:")
}

/// Resident memory of this process in bytes; 0 where the system does not tell.
pub fn resident_memory_bytes() -> u64 {
    status_bytes("VmRSS:")
}

fn status_bytes(field: &str) -> u64 {
    let status = read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|text| text.trim().trim_end_matches(" kB").parse::<u64>().ok()).map_or(0, |kilobytes| kilobytes << 10)
}
