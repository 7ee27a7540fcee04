//! Making a zip that is the same whoever makes it.

use std::fs::File;
use std::io::{BufWriter, Read, Write};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::artifact::MAX_UNCOMPRESSED;
use super::cache::{Cache, io_problem};
use super::context::{BuildContext, interrupted};
use super::list::Listed;
use super::packed::{Packed, digest_of};
use crate::finding::{Finding, Place, code};

/// The level of deflate: code is uploaded once and unpacked by Lambda, so speed weighs more than the last percent.
const LEVEL: i64 = 3;

/// Zips files, in the order given, into the cache.
pub(super) fn pack(
    cache: &Cache,
    files: &[Listed],
    shown: &str,
    place: Option<&Place>,
    context: &BuildContext<'_>,
) -> Result<Packed, Vec<Finding>> {
    let uncompressed: u64 = files.iter().map(|file| file.size).fold(0, u64::saturating_add);
    if uncompressed > MAX_UNCOMPRESSED {
        return Err(vec![too_large(files, uncompressed, shown, place)]);
    }
    let temporary = cache.temporary_file()?;
    let mut content = Sha256::new();
    content.update(b"zip 1\n");
    let written = write(files, &mut content, &temporary, context.cancelled);
    written.map_err(|problem| match problem {
        Problem::Reading(name, error) => {
            let message = format!("cannot read `{name}` in `{shown}`: {error}");
            let help = "check its permissions, or leave it out in `.bedplateignore`";
            vec![Finding::error(code::A003, message).at(place.cloned()).help(help)]
        }
        Problem::Changed(name) => {
            let message = format!("`{name}` in `{shown}` changed while it was packaged");
            vec![
                Finding::error(code::A012, message).at(place.cloned()).help("let the writing of it end, and try again"),
            ]
        }
        Problem::Cancelled => vec![interrupted(place)],
        Problem::Writing(error) => vec![io_problem("write a zip into the cache", &error)],
    })?;
    let sha256 = hex::encode(content.finalize());
    let (size, zip_sha256) = digest_of(temporary.as_file()).map_err(|e| vec![io_problem("read a zip back", &e)])?;
    cache.keep(temporary, &sha256)?;
    Ok(Packed { sha256, zip_sha256, size, uncompressed, files: files.len() })
}

enum Problem {
    Reading(String, std::io::Error),
    Changed(String),
    Cancelled,
    Writing(std::io::Error),
}

fn write(
    files: &[Listed],
    content: &mut Sha256,
    temporary: &NamedTempFile,
    cancelled: &dyn Fn() -> bool,
) -> Result<(), Problem> {
    let out = temporary.reopen().map_err(Problem::Writing)?;
    let mut zip = ZipWriter::new(BufWriter::with_capacity(1 << 18, out));
    let mut bytes = Vec::new();
    for listed in files {
        if cancelled() {
            return Err(Problem::Cancelled);
        }
        bytes.clear();
        let reading = |error| Problem::Reading(listed.name.clone(), error);
        let file = File::open(&listed.path).map_err(reading)?;
        file.take(listed.size.saturating_add(1)).read_to_end(&mut bytes).map_err(reading)?;
        if bytes.len() as u64 != listed.size {
            return Err(Problem::Changed(listed.name.clone()));
        }
        content.update((listed.name.len() as u64).to_le_bytes());
        content.update(listed.name.as_bytes());
        content.update([u8::from(listed.executable)]);
        content.update(listed.size.to_le_bytes());
        content.update(&bytes);
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .compression_level(Some(LEVEL))
            .last_modified_time(DateTime::default())
            .unix_permissions(if listed.executable { 0o755 } else { 0o644 });
        zip.start_file(listed.name.as_str(), options).map_err(|error| Problem::Writing(error.into()))?;
        zip.write_all(&bytes).map_err(Problem::Writing)?;
    }
    let mut out = zip.finish().map_err(|error| Problem::Writing(error.into()))?;
    out.flush().map_err(Problem::Writing)
}

fn too_large(files: &[Listed], uncompressed: u64, shown: &str, place: Option<&Place>) -> Finding {
    let mut largest: Vec<&Listed> = files.iter().collect();
    largest.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.name.cmp(&b.name)));
    let names: Vec<String> =
        largest.iter().take(3).map(|file| format!("`{}` ({})", file.name, size(file.size))).collect();
    let message = format!("`{shown}` is {} unzipped and Lambda takes 250 MiB", size(uncompressed));
    let help = format!("the largest are {}; leave out what is not needed in `.bedplateignore`", names.join(", "));
    Finding::error(code::A005, message).at(place.cloned()).help(help)
}

/// A size as people say it.
pub(super) fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} bytes"),
        1024..1_048_576 => format!("{:.0} KiB", bytes as f64 / 1024.0),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
