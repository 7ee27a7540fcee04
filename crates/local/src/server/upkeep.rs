//! What a serving process does beside answering: what was deleted leaves the disk, and expired credentials lose their secrets.

use std::sync::Arc;
use std::time::Duration;

use crate::ground::Host;
use crate::ground::store::StoreError;
use crate::identity::forget_expired;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(5);

/// Goes on until it is dropped.
pub(super) async fn run(host: Arc<Host>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let (store, now) = (host.store.clone(), host.clock.now());
        // What does not go now goes the next time; whoever asks for something is told what is wrong.
        let _ = host
            .store
            .blocking(move || {
                let expired = store.read_now::<_, StoreError>(|tx| {
                    Ok(tx
                        .prepare_cached("SELECT 1 FROM identity_session WHERE expires <= ?1 AND secret <> ''")?
                        .exists([now.as_second()])?)
                })?;
                if expired {
                    store.write_now::<_, StoreError>(|tx| Ok(forget_expired(tx, now)?))?;
                }
                store.wipe_deleted()
            })
            .await;
    }
}
