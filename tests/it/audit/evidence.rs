//! The evidence pack: believed as it is, and not after any change.

use coordinator::audit::Fault;

use super::*;

/// A small audit with one finding of each kind; gives its pack.
async fn pack(closing: &Closing, insurer: &Insurer) -> Folder {
    let all = settled(60);
    let own = of_payer(&all, "I01");
    let mut list = own.clone();
    list.remove(0);
    list[0].fen += 1;
    list[1].group = "XX99";
    list.push(list[2].clone());
    list.push(Settled {
        number: "INVENTED".to_owned(),
        ..own[0].clone()
    });
    let nonce = [("i01", insurer.nonce)];
    closing
        .close_as(&listed(&list), MAPPING, &nonce, false)
        .await
        .unwrap();
    let report = insurer.audit(closing, "i01", &paid(&own)).await;
    let counts: Vec<(Fault, usize)> = report.counts().into_iter().collect();
    let each = [
        Fault::Missing,
        Fault::Amount,
        Fault::Group,
        Fault::Duplicated,
        Fault::Invented,
    ];
    assert_eq!(counts, each.map(|fault| (fault, 1)));
    Folder::new(&insurer.folder.path("pack"))
}

fn pack_files(pack: &Folder) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = Vec::new();
    for folder in [pack.path("."), pack.path("requests"), pack.path("replies")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                files.push(path);
            }
        }
    }
    files
}

#[tokio::test]
async fn a_pack_is_believed_offline_and_not_after_any_change() {
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    let pack = pack(&closing, &insurer).await;
    // Nothing but the pack is left.
    std::fs::remove_dir_all(insurer.folder.path("private")).unwrap();
    let key = closing.log_key();
    audit::verify(&pack, &known(&key)).unwrap();
    let other = Closing::new().await;
    assert!(audit::verify(&pack, &known(&other.log_key())).is_err());
    let files = pack_files(&pack);
    assert_eq!(files.len(), 8);
    for path in files {
        let sound = std::fs::read(&path).unwrap();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // Every changed digit, letter or byte, at places spread over the file.
        let places = (0..sound.len()).step_by((sound.len() / 60).max(1));
        for place in places {
            let mut changed = sound.clone();
            changed[place] ^= 1;
            std::fs::write(&path, &changed).unwrap();
            // What is only the insurer's word is not proven: its list's length and sum.
            let word = ["\"lines\"", "\"paid\"", "\"accounted\"", "\"nonce\""];
            let text = String::from_utf8_lossy(&sound[..=place]).into_owned();
            let key_of_value = text.rfind(",\"").max(text.rfind("{\""));
            let open = key_of_value.map_or("", |at| &text[at + 1..]);
            let own_word = word.iter().any(|word| open.starts_with(word));
            let believed = audit::verify(&pack, &known(&key)).is_ok();
            assert!(!believed || own_word, "{name}: byte {place}: {open}");
        }
        std::fs::remove_file(&path).unwrap();
        assert!(
            audit::verify(&pack, &known(&key)).is_err(),
            "without {name}"
        );
        std::fs::write(&path, &sound).unwrap();
    }
    audit::verify(&pack, &known(&key)).unwrap();
}

#[tokio::test]
async fn a_finding_cannot_be_made_up_or_left_out() {
    let closing = Closing::new().await;
    let insurer = Insurer::begin(&closing, "i01").await;
    let pack = pack(&closing, &insurer).await;
    let path = pack.path("report.json");
    let sound: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let believed = |report: &serde_json::Value| {
        std::fs::write(&path, report.to_string()).unwrap();
        audit::verify(&pack, &Known::default()).is_ok()
    };
    assert!(believed(&sound));
    let mut fewer = sound.clone();
    fewer["findings"].as_array_mut().unwrap().pop();
    assert!(!believed(&fewer));
    let mut more = sound.clone();
    let mut made_up = sound["findings"][0].clone();
    made_up["settlement"] = "MADEUP".into();
    more["findings"].as_array_mut().unwrap().insert(0, made_up);
    assert!(!believed(&more));
    let mut other = sound.clone();
    other["committed"] = "1".into();
    assert!(!believed(&other));
}
