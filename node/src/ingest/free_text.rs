//! Columns that no code comes from: names, addresses, telephone numbers, free text. They cannot be mapped to
//! what is kept, so that nobody has to search them for persons.

use super::IngestError;
use super::mapping::Mapping;

/// What such columns are called, in lower case and without marks.
const NAMES: [&str; 52] = [
    "name",
    "patientname",
    "fullname",
    "firstname",
    "lastname",
    "familyname",
    "givenname",
    "姓名",
    "患者姓名",
    "病人姓名",
    "psnname",
    "联系人",
    "联系人姓名",
    "conername",
    "contact",
    "contactname",
    "address",
    "addr",
    "street",
    "地址",
    "住址",
    "现住址",
    "家庭住址",
    "户口地址",
    "工作单位",
    "phone",
    "telephone",
    "tel",
    "mobile",
    "电话",
    "手机",
    "手机号",
    "联系电话",
    "email",
    "邮箱",
    "idcard",
    "idnumber",
    "certno",
    "身份证",
    "身份证号",
    "身份证号码",
    "ssn",
    "note",
    "notes",
    "remark",
    "remarks",
    "comment",
    "comments",
    "narrative",
    "备注",
    "主诉",
    "现病史",
];

/// Refuses a mapping that takes a code from such a column.
pub(super) fn refuse(mapping: &Mapping) -> Result<(), IngestError> {
    let refused = |place: String, column: &String| {
        if is_free_text(column) {
            return Err(IngestError::rule(
                place,
                "a column of names, addresses, numbers of persons or free text is never read as a code",
            ));
        }
        Ok(())
    };
    for column in &mapping.case_group.columns {
        refused("case_group.columns".to_owned(), column)?;
    }
    for (id, dimension) in &mapping.dimensions {
        if let Some(column) = &dimension.column {
            refused(format!("dimensions.{id}"), column)?;
        }
    }
    Ok(())
}

fn is_free_text(column: &str) -> bool {
    let plain: String = column
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric())
        .collect();
    NAMES.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: [&str; 4] = [
        include_str!("../../../deploy/mappings/sparcs.toml"),
        include_str!("../../../deploy/mappings/consilium-csv.toml"),
        include_str!("../../../deploy/mappings/settlement-list.toml"),
        include_str!("../../../deploy/mappings/fhir-r4.toml"),
    ];

    #[test]
    fn names_and_free_text_are_no_codes() {
        for text in SHIPPED {
            let mapping = Mapping::parse(text).unwrap();
            refuse(&mapping).unwrap();
            for column in [
                "姓名",
                "Patient Name",
                "patient_name",
                "ADDRESS",
                "身份证号",
                "主诉",
            ] {
                let mut wrong = mapping.clone();
                wrong.case_group.columns.push(column.to_owned());
                let error = refuse(&wrong).unwrap_err().to_string();
                assert!(error.contains("case_group.columns"), "{error}");
                let mut wrong = mapping.clone();
                for (id, dimension) in &mut wrong.dimensions {
                    if dimension.column.is_some() {
                        dimension.column = Some(column.to_owned());
                        let place = format!("dimensions.{id}");
                        let error = refuse(&Mapping {
                            dimensions: [(id.clone(), dimension.clone())].into(),
                            ..mapping.clone()
                        });
                        assert!(error.unwrap_err().to_string().contains(&place));
                    }
                }
            }
        }
        for column in ["dept_name", "科室", "departmentname", "drg", "notebook"] {
            assert!(!is_free_text(column), "{column}");
        }
    }
}
