//! What every refusal looks like.

use serde_json::Value;

use crate::Answer;

impl Answer {
    /// Checks that this is a problem of that status and code, whole and in its media type; returns it.
    ///
    /// # Panics
    /// When it is not.
    #[track_caller]
    pub fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "expected {code}; {self}");
        let media_type = self.must_have("content-type").split(';').next().unwrap_or_default().trim();
        assert_eq!(media_type, "application/problem+json", "{self}");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{self}");
        assert_eq!(problem["status"], status, "{self}");
        for field in ["type", "title", "detail", "instance", "request_id"] {
            let is_said = problem[field].as_str().is_some_and(|text| !text.is_empty());
            assert!(is_said, "{field} is missing in {self}");
        }
        if matches!(code, "field-unknown" | "field-invalid") {
            let errors = problem["errors"].as_array().unwrap_or_else(|| panic!("no errors in {self}"));
            assert!(!errors.is_empty(), "{self}");
            for error in errors {
                assert!(error["pointer"].is_string() && error["detail"].is_string(), "{self}");
            }
        }
        problem
    }

    /// [`Answer::problem`] for limits: the problem has to say what is allowed, and what was found if it is known.
    ///
    /// # Panics
    /// When it does not.
    #[track_caller]
    pub fn over_limit(&self, status: u16, code: &str, limit: u64, actual: Option<u64>) {
        let problem = self.problem(status, code);
        assert_eq!(problem["limit"].as_u64(), Some(limit), "{self}");
        if let Some(actual) = actual {
            assert_eq!(problem["actual"].as_u64(), Some(actual), "{self}");
        }
    }

    /// [`Answer::problem`] for one field: the problem has to point at it.
    ///
    /// # Panics
    /// When it points elsewhere.
    #[track_caller]
    pub fn field(&self, code: &str, pointer: &str) {
        let problem = self.problem(422, code);
        let pointers: Vec<_> =
            problem["errors"].as_array().into_iter().flatten().map(|error| &error["pointer"]).collect();
        assert!(pointers.iter().any(|known| known.as_str() == Some(pointer)), "{pointer} is not blamed in {self}");
    }
}
