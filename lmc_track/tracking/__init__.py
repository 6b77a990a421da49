"""The record of a study in MLflow. The only room that knows MLflow."""
