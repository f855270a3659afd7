use super::*;
use schemas::id::Slug;

fn shape() -> Shape {
    let name = |text: &str| text.parse::<Slug>().unwrap();
    Shape {
        groups: 3,
        dimensions: vec![
            (name("sex"), Width::Narrow, 3),
            (name("district"), Width::Wide, 300),
        ],
        fields: vec![(name("cost"), 1000)],
    }
}

#[test]
fn rows_come_back_as_written_in_full_batches() {
    let folder = tempfile::tempdir().unwrap();
    let month: Month = "2025-01".parse().unwrap();
    let path = data_file(folder.path(), month);
    let mut writer = MonthWriter::create(path.clone(), &shape()).unwrap();
    let rows = BATCH_ROWS + 3;
    let mut batch = Rows::new(&shape());
    for row in 0..u32::try_from(rows).unwrap() {
        let byte = row.to_le_bytes()[0];
        batch.push(
            &[byte; 16],
            &[1; 16],
            2,
            &[u16::from(byte % 3), 299],
            &[row],
        );
        if batch.is_full() {
            writer
                .write(std::mem::replace(&mut batch, Rows::new(&shape())))
                .unwrap();
        }
    }
    writer.write(batch).unwrap();
    let written = writer.finish().unwrap();
    assert_eq!(digest(&path).unwrap(), written);
    let ranks = vec![
        Ranks {
            group: 1,
            stay: 2,
            series: 255
        };
        rows
    ];
    write_ranks(ranks_file(folder.path(), month), &ranks).unwrap();
    let columns = MonthColumns::open(folder.path(), month).unwrap();
    assert_eq!(columns.rows(), rows);
    assert_eq!(columns.batches()[0].rows(), BATCH_ROWS);
    let last = &columns.batches()[1];
    assert_eq!(last.amounts("cost").unwrap(), [65_536, 65_537, 65_538]);
    assert!(matches!(last.codes("sex"), Some(Codes::Narrow([0, 1, 2]))));
    assert!(matches!(
        last.codes("district"),
        Some(Codes::Wide([299, 299, 299]))
    ));
    assert_eq!(last.case_group(), [2, 2, 2]);
    assert_eq!(
        (last.group_rank(), last.series_rank()),
        (&[1_u8; 3][..], &[255_u8; 3][..])
    );
    assert!(last.amounts("charges").is_none() && last.codes("cost").is_none());
    assert!(
        MonthWriter::create(path, &shape()).is_err(),
        "never replaced"
    );
}

#[test]
fn damage_is_an_error_not_a_panic() {
    let folder = tempfile::tempdir().unwrap();
    let month: Month = "2025-01".parse().unwrap();
    let path = data_file(folder.path(), month);
    let mut writer = MonthWriter::create(path.clone(), &shape()).unwrap();
    let mut rows = Rows::new(&shape());
    rows.push(&[7; 16], &[7; 16], 0, &[0, 0], &[5]);
    writer.write(rows).unwrap();
    writer.finish().unwrap();
    write_ranks(ranks_file(folder.path(), month), &[Ranks::default()]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(
            MonthColumns::open(folder.path(), month).is_err(),
            "{length}"
        );
    }
}
