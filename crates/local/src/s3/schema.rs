//! S3's tables.

use crate::ground::store::Schema;

/// The tables and their versions.
///
/// `s3_versions` is clustered as S3 lists it: by key, and within a key the newest first: `seq` grows with every write. Times are
/// seconds since 1970, which is all S3 shows of them. The triggers count the users of each body, see
/// [`crate::ground::store`].
pub const SCHEMA: Schema = Schema {
    room: "s3",
    steps: &["
        CREATE TABLE s3_buckets (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            region TEXT NOT NULL,
            created INTEGER NOT NULL,
            versioning TEXT
        ) STRICT;

        CREATE TABLE s3_bucket_settings (
            bucket INTEGER NOT NULL REFERENCES s3_buckets (id),
            kind TEXT NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (bucket, kind)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE s3_versions (
            bucket INTEGER NOT NULL REFERENCES s3_buckets (id),
            key TEXT NOT NULL,
            seq INTEGER NOT NULL,
            version TEXT NOT NULL,
            latest INTEGER NOT NULL,
            marker INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            size INTEGER NOT NULL,
            etag TEXT NOT NULL,
            blob INTEGER,
            meta TEXT NOT NULL,
            tags TEXT NOT NULL,
            PRIMARY KEY (bucket, key, seq DESC)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX s3_versions_current ON s3_versions (bucket, key) WHERE latest = 1;
        CREATE UNIQUE INDEX s3_versions_version ON s3_versions (bucket, key, version);

        CREATE TABLE s3_uploads (
            id TEXT PRIMARY KEY,
            bucket INTEGER NOT NULL REFERENCES s3_buckets (id),
            key TEXT NOT NULL,
            started INTEGER NOT NULL,
            meta TEXT NOT NULL,
            tags TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX s3_uploads_order ON s3_uploads (bucket, key, id);

        CREATE TABLE s3_parts (
            upload TEXT NOT NULL REFERENCES s3_uploads (id),
            number INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            size INTEGER NOT NULL,
            etag TEXT NOT NULL,
            blob INTEGER NOT NULL,
            checksums TEXT NOT NULL,
            PRIMARY KEY (upload, number)
        ) STRICT, WITHOUT ROWID;

        CREATE TRIGGER s3_version_added AFTER INSERT ON s3_versions WHEN NEW.blob IS NOT NULL BEGIN
            UPDATE blobs SET users = users + 1 WHERE id = NEW.blob;
        END;
        CREATE TRIGGER s3_version_gone AFTER DELETE ON s3_versions WHEN OLD.blob IS NOT NULL BEGIN
            UPDATE blobs SET users = users - 1 WHERE id = OLD.blob;
        END;
        CREATE TRIGGER s3_part_added AFTER INSERT ON s3_parts BEGIN
            UPDATE blobs SET users = users + 1 WHERE id = NEW.blob;
        END;
        CREATE TRIGGER s3_part_gone AFTER DELETE ON s3_parts BEGIN
            UPDATE blobs SET users = users - 1 WHERE id = OLD.blob;
        END;
    "],
};
