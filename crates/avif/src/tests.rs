//! Both ways, crafted containers and damaged files.
