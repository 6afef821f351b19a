# terraform_data is built into Terraform: it lives in the state alone, so this sample needs no cloud and no download.

variable "environment" {
  type    = string
  default = "sample"
}

resource "terraform_data" "network" {
  input = {
    name  = "${var.environment}-network"
    range = "10.0.0.0/16"
  }
}

output "network" {
  value = terraform_data.network.output.name
}
