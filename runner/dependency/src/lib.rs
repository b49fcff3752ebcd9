//! A component that the runner's tests put inside their guest, in the place of the variables that the runner serves: what
//! the guest asks for as a variable's name is done here, and answered as the variable's value.

#![cfg(target_arch = "wasm32")]
#![expect(unsafe_code, missing_docs, reason = "`generate` makes the exports' glue here")]

use spin_sdk::experimental::wasi::keyvalue::store;
use spin_sdk::http::{EmptyBody, Request};
use spin_sdk::key_value::Store;
use spin_sdk::redis::Connection;

use exports::spin::variables::variables::{Error, Guest};
use exports::test::dependency::other;

wit_bindgen::generate!({
    path: "../wit",
    inline: r#"
        package test:dependency;
        interface other {
            use spin:variables/variables@3.0.0.{error};
            get: async func(name: string) -> result<string, error>;
        }
        world dependency {
            export spin:variables/variables@3.0.0;
            export other;
        }
    "#,
    generate_all,
});

struct Component;

impl Guest for Component {
    async fn get(name: String) -> Result<String, Error> {
        let (action, argument) = name.split_once(' ').unwrap_or((&name, ""));
        match action {
            "shout" => Ok(argument.to_uppercase()),
            "trap" => panic!("trapped on request"),
            "environment" => {
                Ok(format!("{:?} of {:?}", std::env::var(argument).ok(), std::env::args().collect::<Vec<_>>()))
            }
            "print" => {
                println!("{argument}");
                Ok(String::new())
            }
            "allocate" => Ok(vec![1u8; argument.parse().unwrap_or_default()].len().to_string()),
            "store" => Ok(refused(Store::open(argument).await.err())),
            "bucket" => Ok(refused(store::open(argument).err())),
            "variable" => Ok(refused(spin_sdk::variables::get(argument).await.err())),
            "redis" => Ok(refused(Connection::open(argument).await.err())),
            "fetch" => Ok(match Request::get(argument).body(EmptyBody::new()) {
                Ok(request) => refused(spin_sdk::http::send(request).await.err()),
                Err(error) => return Err(Error::Other(error.to_string())),
            }),
            _ => Err(Error::Undefined(name)),
        }
    }
}

impl other::Guest for Component {
    async fn get(name: String) -> Result<String, Error> {
        Ok(format!("other {name}"))
    }
}

/// What is answered to something that the component may not do.
fn refused(error: Option<impl std::fmt::Debug>) -> String {
    error.map_or_else(|| "it was allowed".to_owned(), |error| format!("{error:?}"))
}

export!(Component);
