//! The books: what an instance must look like once it is left alone, whatever happened to it before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::faults::Given;
use crate::{App, poll};

/// Keys that belong to a content, and go with it.
const OF_A_CONTENT: [&str; 5] = ["blob:*", "derived:*", "rung:*", "variant:*", "product:*"];

/// What was found.
pub struct Audited {
    /// Every asset that is not deleted, by id.
    pub assets: BTreeMap<String, Value>,
}

impl Audited {
    /// The ids of the assets in a state.
    pub fn in_state(&self, state: &str) -> BTreeSet<&str> {
        let in_state = self.assets.iter().filter(|(_, asset)| asset["state"] == state);
        in_state.map(|(id, _)| id.as_str()).collect()
    }
}

impl App {
    /// Waits until all work is done and checks everything: every asset's fate, every listing, the counts, and that
    /// nothing is stored that belongs to nobody. `given` must all be there, each as it was given.
    ///
    /// # Panics
    /// When something is wrong.
    #[track_caller]
    pub fn audit(&self, given: &[Given]) -> Audited {
        self.settled_assets(given);
        poll::until("no work is left", || (self.stat("/queue_depth") == 0).then_some(()));
        // Once more: the work that was left may have brought to light an asset whose client was told of a failure.
        let audited = self.settled_assets(given);
        self.are_intact(given, &audited);
        self.listings_are_true(&audited);
        self.counts_are_true(&audited);
        if self.has_redis() {
            self.nothing_is_orphaned(&audited);
        }
        audited
    }

    /// Every asset, once those that were given are listed and each is ready or failed, for which it has a reason.
    #[track_caller]
    fn settled_assets(&self, given: &[Given]) -> Audited {
        // Not the depth of the queues: their lengths are read one after the other, and a job moves on between them.
        let (mut assets, mut unsettled) = (BTreeMap::new(), Vec::new());
        let deadline = Instant::now() + poll::PATIENCE;
        poll::until("every asset is ready or failed", || {
            assets = self.all_assets();
            let is_open = |asset: &&Value| asset["state"] != "ready" && asset["state"] != "failed";
            unsettled = assets.values().filter(is_open).cloned().collect();
            // Said a moment before the wait is over, so that it is known which.
            let is_late = Instant::now() + Duration::from_secs(1) > deadline;
            assert!(unsettled.is_empty() || !is_late, "neither ready nor failed: {unsettled:#?}");
            let missing = given.iter().map(|given| &given.id).find(|id| !assets.contains_key(*id));
            assert!(missing.is_none() || !is_late, "{missing:?} was accepted, and is in no listing of assets");
            (unsettled.is_empty() && missing.is_none()).then_some(())
        });
        for asset in assets.values().filter(|asset| asset["state"] == "failed") {
            for field in ["code", "detail"] {
                assert!(asset["error"][field].as_str().is_some_and(|text| !text.is_empty()), "{asset:#}");
            }
        }
        Audited { assets }
    }

    /// The documents on every page of `/v1/assets`, by id.
    #[track_caller]
    fn all_assets(&self) -> BTreeMap<String, Value> {
        let mut assets = BTreeMap::new();
        let mut next = "/v1/assets?limit=100".to_owned();
        loop {
            let page = self.get(&next).expect(200).json();
            for asset in page["items"].as_array().unwrap_or_else(|| panic!("no items in {page:#}")) {
                let id = asset["id"].as_str().unwrap_or_else(|| panic!("no id in {asset:#}")).to_owned();
                let double = assets.insert(id, asset.clone());
                assert!(double.is_none(), "listed twice: {asset:#}");
            }
            let Some(cursor) = page["next_cursor"].as_str() else { return assets };
            next = format!("/v1/assets?limit=100&cursor={cursor}");
        }
    }

    /// Those that are ready are delivered as they were given, and those that are not show nothing.
    #[track_caller]
    fn are_intact(&self, given: &[Given], audited: &Audited) {
        for Given { id, picture } in given {
            if audited.assets[id]["state"] == "ready" {
                self.get(&format!("/v1/images/{id}")).expect(200);
                let original = self.delivered(id, "original").picture();
                assert!(original.image.to_rgb8() == *picture, "the original of {id} is not what was given");
                assert!(self.delivered(id, "thumb").picture().size().0 > 0);
            } else {
                self.shows_nothing_of(id);
            }
        }
    }

    /// Each listing holds the ready assets that belong into it, each once.
    #[track_caller]
    fn listings_are_true(&self, audited: &Audited) {
        let mut expected: BTreeMap<String, BTreeSet<&str>> = BTreeMap::from([(String::new(), BTreeSet::new())]);
        for category in self.all_categories() {
            expected.insert(format!("category={category}&"), BTreeSet::new());
        }
        for (id, asset) in audited.assets.iter().filter(|(_, asset)| asset["state"] == "ready") {
            let category = asset["category"].as_str().map(|category| format!("category={category}&"));
            let tags = asset["tags"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let tags = tags.map(|tag| format!("tag={tag}&"));
            for listing in tags.chain(category).chain([String::new()]) {
                expected.entry(listing).or_default().insert(id);
            }
        }
        for (listing, expected) in expected {
            let found = self.listed(&format!("{listing}limit=7"));
            let unique: BTreeSet<&str> = found.iter().map(String::as_str).collect();
            assert_eq!(unique.len(), found.len(), "an image is listed twice under {listing:?}: {found:?}");
            assert_eq!(unique, expected, "listed under {listing:?}, and what is ready");
        }
    }

    /// The ids of all categories.
    #[track_caller]
    fn all_categories(&self) -> Vec<String> {
        let mut all = self.pages("/v1/categories?limit=100").concat();
        let mut idx = 0;
        while let Some(parent) = all.get(idx) {
            all.extend(self.pages(&format!("/v1/categories?limit=100&parent={parent}")).concat());
            idx += 1;
        }
        all
    }

    /// The statistics say what counting says.
    #[track_caller]
    fn counts_are_true(&self, audited: &Audited) {
        let n_images = self.listed("limit=100").len();
        let ready = audited.assets.values().filter(|asset| asset["state"] == "ready");
        let contents: BTreeMap<&str, u64> =
            ready.filter_map(|asset| Some((asset["sha256"].as_str()?, asset["bytes"].as_u64()?))).collect();
        let expected = [
            ("/assets", audited.assets.len() as u64),
            ("/failed", audited.in_state("failed").len() as u64),
            ("/images", n_images as u64),
            ("/original_bytes", contents.values().sum()),
        ];
        assert_eq!(expected.map(|(name, _)| (name, self.stat(name))), expected, "the statistics, and what was counted");
    }

    /// What is stored of contents belongs to those of ready assets.
    #[track_caller]
    fn nothing_is_orphaned(&self, audited: &Audited) {
        let ready = audited.assets.values().filter(|asset| asset["state"] == "ready");
        let live: BTreeSet<&str> = ready.filter_map(|asset| asset["sha256"].as_str()).collect();
        let is_orphan = |key: &String| {
            let content = key.split(':').nth(1).and_then(|blob| blob.split('.').next());
            !key.contains(":take:") && !content.is_some_and(|content| live.contains(content))
        };
        let keys = OF_A_CONTENT.map(|pattern| self.redis().keys(pattern)).concat();
        let orphans: Vec<String> = keys.into_iter().filter(is_orphan).collect();
        assert!(orphans.is_empty(), "stored, and of nobody: {orphans:#?}");
    }
}
